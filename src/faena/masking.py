"""Hide secrets in what pages, tables and audits show: values whose key or parameter looks like one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from faena import registry

MASK = "••••••"
#: Arguments by place that are looked at for secrets.
MOST_PLACES = 20
_SECRET = re.compile(
    r"passw|passphrase|contrase|clave|secret|token|api[_-]?key|private|credential|authori[sz]ation|cookie|session|(^|[_-])key$",
    re.IGNORECASE,
)
#: The same for a whole JSON text, as both databases understand it.
SECRET_IN_JSON = _SECRET.pattern.replace("(^|[_-])key$", '["_-]key"')


def tasks_with_secrets() -> list[str]:
    """The tasks, as far as they are known here, that take a secret by place."""
    known = registry.tasks
    return [task for task in known.names() if any(map(_SECRET.search, known.places(task, MOST_PLACES)))]


def masked(value: Any) -> Any:
    """The same value with every secret in it replaced."""
    if isinstance(value, dict):
        return {key: MASK if _is_secret(key, inner) else masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each) for each in value]
    return value


def masked_args(task: str, args: Sequence[Any]) -> list[Any]:
    """The arguments by place, as `masked` has them and by the names of their parameters, if the task is known here."""
    names = registry.tasks.places(task, len(args))
    return [
        MASK if name and _is_secret(name, value) else masked(value)
        for name, value in zip_longest(names, args, fillvalue="")
    ]


def unmasked(edited: Any, before: Any) -> Any:
    """What people made of a masked value, with the secrets that they left alone put back."""
    if isinstance(edited, dict) and isinstance(before, dict):
        return {
            key: before[key] if inner == MASK and key in before else unmasked(inner, before.get(key))
            for key, inner in edited.items()
        }
    if isinstance(edited, list) and isinstance(before, list | tuple):
        # By place: what was added has nothing before it.
        kept = enumerate(edited[: len(before)])
        return [before[n] if inner == MASK else unmasked(inner, before[n]) for n, inner in kept] + edited[len(before) :]
    return edited


def _is_secret(key: object, value: Any) -> bool:
    return value not in (None, "", False, True) and bool(_SECRET.search(str(key)))
