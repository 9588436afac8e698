"""What libraries say about the broker, without the password of its address."""

from __future__ import annotations

import re

#: Such as when a port is a piece of a password. In the catalogue; to mark it as such would ask for Django's settings,
#: which an app that is just being made does not have.
NO_URL = "its address is no valid URL (a password in it must be percent-encoded)"


def without_credentials(said: str | Exception) -> str:
    """An address, or an error that may name one, without user and password. In English, for logs too."""
    if isinstance(said, ValueError):
        return NO_URL
    text = said if isinstance(said, str) else f"{type(said).__name__}: {said}".rstrip(".")
    return re.sub(r"//\S*(@|%40)", "//", text)
