"""The project's own settings; a storm kills the same job more often than life does."""

from faena_server.settings import *  # noqa: F403

FAENA = {"MAX_CRASHES": 1000}
