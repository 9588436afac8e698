"""Django's settings for the tests: the project's own, on databases and folders that vanish afterwards.

`FAENA_TEST_DATABASE=postgresql` runs the tests on a real PostgreSQL (from a wheel) instead of SQLite.
"""

import os

from tests.support import places

os.environ["FAENA_ENV_FILE"] = os.devnull  # a developer's own .env is no business of the tests
os.environ["FAENA_DATA_DIR"] = str(places.scratch())
os.environ["FAENA_DATABASE_URL"] = places.database_url(os.environ.get("FAENA_TEST_DATABASE", "sqlite"))
os.environ["FAENA_BROKER_URL"] = "memory://"
os.environ["FAENA_LANGUAGE"] = "en"  # tests read what people are told

from faena_server.settings import *  # noqa: F403
from faena_server.settings import DATABASES, LOGGING

LOGGING["root"]["level"] = "WARNING"
# Commands that tests call set Django up again and again, and logging with it: its files would be left open.
LOGGING["handlers"] = {"console": LOGGING["handlers"]["console"]}
LOGGING["root"]["handlers"] = ["console"]
LOGGING["loggers"]["faena_systems.telemetry"]["handlers"] = []
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as threads and processes share it; nobody pulls the plug during a test, so it need not be synced.
    DATABASES["default"]["TEST"] = {"NAME": str(places.scratch() / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the tests sign in often
