"""The API: the verbs and queries of the pages, for programs. `urls.py` is what a project includes."""
