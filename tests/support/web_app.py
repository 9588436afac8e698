"""The web process of the browser tests: the project's own, which knows the tests' tasks as well."""

from faena_server.asgi import application
from tests.support import worker_app  # noqa: F401  before Django loads the app's tasks

__all__ = ["application"]
