"""PanAccess for one test: the stand-in, served over HTTP by a thread of this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from faena_sandbox.panaccess.app import Application
from faena_sandbox.panaccess.behaviour import Behaviour
from faena_sandbox.panaccess.dataset import Dataset
from faena_sandbox.panaccess.service import PanAccess


@contextmanager
def served(rows: int = 0, seed: int = 1) -> Iterator[tuple[PanAccess, str]]:
    """An installation with so many records, to be changed at will, and its address."""
    panaccess = PanAccess(Dataset(rows, seed), Behaviour())
    config = uvicorn.Config(Application(panaccess), log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield panaccess, f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server.should_exit = server.force_exit = True
        thread.join(timeout=30)
