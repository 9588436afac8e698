"""What the environment says: one reader for every settings module, with older names understood."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dj_database_url
import dj_email_url
from environs import Env

env = Env()
env.read_env(os.environ.get("FAENA_ENV_FILE", ".env"), recurse=False)


def data_dir() -> Path:
    """The folder that holds everything Faena writes (`FAENA_DATA_DIR`, default `var/`), created if missing."""
    path = Path(env.str("FAENA_DATA_DIR", "var")).resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


def database_url() -> str:
    """`FAENA_DATABASE_URL`, or a SQLite file in the data folder."""
    return env.str("FAENA_DATABASE_URL", "") or f"sqlite:///{data_dir() / 'faena.sqlite3'}"


def broker_url() -> str:
    """`FAENA_BROKER_URL`, else `CELERY_BROKER_URL`, else `REDIS_HOST/PORT/DB`, else a SQLite file."""
    url = env.str("FAENA_BROKER_URL", "") or env.str("CELERY_BROKER_URL", "")
    if url:
        return url
    if host := env.str("REDIS_HOST", ""):
        password = env.str("REDIS_PASSWORD", "")
        credentials = f":{quote(password, safe='')}@" if password else ""
        return f"redis://{credentials}{host}:{env.int('REDIS_PORT', 6379)}/{env.int('REDIS_DB', 0)}"
    return f"sqlite:///{data_dir() / 'broker.sqlite3'}"


def mail() -> dict[str, Any]:
    """Django's `EMAIL_…` settings for `FAENA_EMAIL_URL`, such as `smtp://user:password@host:587/?tls=True`."""
    found: dict[str, Any] = dict(dj_email_url.parse(env.str("FAENA_EMAIL_URL", "smtp://localhost:25")))
    own = {name: value for name, value in found.items() if name.startswith("EMAIL_")}
    return own | {"DEFAULT_FROM_EMAIL": env.str("FAENA_EMAIL_FROM", "faena@localhost"), "EMAIL_TIMEOUT": 10}


def secret_key() -> str:
    """`FAENA_SECRET_KEY`, or one made at the first start and kept readable by its owner only."""
    if key := env.str("FAENA_SECRET_KEY", ""):
        return key
    path = data_dir() / "secret_key"
    # O_EXCL: of several processes that start at once exactly one writes the key, the others read it.
    try:
        handle = os.open(path.with_suffix(f".{os.getpid()}"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(path.with_suffix(f".{os.getpid()}"), path)
        except FileExistsError:
            pass
        finally:
            os.unlink(path.with_suffix(f".{os.getpid()}"))
    except FileExistsError:
        pass
    return path.read_text().strip()


def database() -> dict[str, Any]:
    """The entry of DATABASES for `database_url()`, with what SQLite needs so that several processes share it."""
    found: dict[str, Any] = dict(dj_database_url.parse(database_url(), conn_max_age=60))
    if found["ENGINE"] == "django.db.backends.sqlite3":
        found["OPTIONS"] = {
            # Writers queue at BEGIN instead of failing half-way through a transaction with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # FULL: a job that was accepted is still there after a power cut. The broker's own file needs no such care.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
        }
    else:
        options = found.setdefault("OPTIONS", {})
        options["prepare_threshold"] = _prepare_threshold(options.get("prepare_threshold", 2))
    return found


def _prepare_threshold(given: Any) -> int | None:
    """After how many times PostgreSQL plans a statement once for all; None, never: older PgBouncers lose the plans.

    Raises:
        ValueError: it is neither a number nor none.
    """
    if str(given).lower() == "none":
        return None
    try:
        return int(given)
    except ValueError:
        raise ValueError(f"prepare_threshold in FAENA_DATABASE_URL is a number or none, not {given!r}") from None
