"""The live channel: WebSockets that say what changed. `application.py` is what an ASGI project routes to."""
