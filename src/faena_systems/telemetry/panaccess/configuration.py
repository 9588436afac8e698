"""How to reach PanAccess, from the environment alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from faena.environment import env

from ..errors import NotConfigured

#: Variables without which nothing works; the salt and the token may be empty, but must be said.
NEEDED = ("PANACCESS_URL", "PANACCESS_USERNAME", "PANACCESS_PASSWORD", "PANACCESS_SALT", "PANACCESS_API_TOKEN")
MAY_BE_EMPTY = {"PANACCESS_SALT", "PANACCESS_API_TOKEN"}
#: What installations call the list of records, tried in this order.
FUNCTIONS = (
    "getListOfTelemetryRecords",
    "getListOfTelemetryRecordEntries",
    "getTelemetryRecords",
    "cvGetListOfTelemetryRecords",
)


@dataclass(frozen=True)
class Configuration:
    """One account at one installation. Its text shows no secret."""

    url: str
    username: str
    password: str = field(repr=False)
    salt: str = field(repr=False)
    api_token: str = field(repr=False)
    functions: tuple[str, ...] = FUNCTIONS
    timeout: float = 30.0
    concurrency: int = 4

    @property
    def account(self) -> str:
        """A digest that names the account: what must be shared per account is kept under it."""
        return hashlib.sha256(f"{self.url}|{self.username}".encode()).hexdigest()[:32]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may hold."""
        return tuple(filter(None, (self.password, self.password_digest, self.salt, self.api_token)))

    @property
    def password_digest(self) -> str:
        """The password as PanAccess wants it."""
        return hashlib.md5((self.password + self.salt).encode()).hexdigest()  # noqa: S324


def missing() -> list[str]:
    """Return the variables that are not set; empty when PanAccess is configured."""
    values = {name: env.str(name, None) for name in NEEDED}
    return [name for name, value in values.items() if value is None or (not value and name not in MAY_BE_EMPTY)]


def read() -> Configuration:
    """Read the environment as it is now.

    Raises:
        NotConfigured: something is missing.
    """
    if lacking := missing():
        raise NotConfigured(lacking)
    url, username, password, salt, api_token = (env.str(name) for name in NEEDED)
    function = env.str("PANACCESS_FUNCTION", "")
    return Configuration(
        url=url,
        username=username,
        password=password,
        salt=salt,
        api_token=api_token,
        functions=(function,) if function else FUNCTIONS,
        timeout=env.float("PANACCESS_TIMEOUT", 30.0),
        concurrency=max(1, env.int("PANACCESS_CONCURRENCY", 4)),
    )
