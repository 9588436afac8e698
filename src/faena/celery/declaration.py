"""What a task's declaration says to the ledger: titles, uniqueness, limits, rates, attempts."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter
from typing import Any, NamedTuple

from celery import Task
from django.utils.translation import gettext as _

from faena import conf
from faena.errors import ConfigurationError
from faena.ledger import sql


class Named(NamedTuple):
    """The templates of a declaration, filled in with one job's arguments."""

    title: str
    unique_key: str | None
    limit_key: str | None


@dataclass(frozen=True, slots=True)
class Declaration:
    """Read once per task. A plain Celery task has only attempts."""

    kind: str
    title: str = ""
    unique: str | None = None
    limit: int | None = None
    limit_key: str | None = None
    rate: str | None = None
    max_attempts: int = 1
    max_crashes: int = 5
    signature: inspect.Signature | None = None

    @property
    def is_limited(self) -> bool:
        """Whether its jobs may have to wait for others of their key."""
        return self.limit is not None or self.rate is not None

    def named(self, args: Any, kwargs: Any) -> Named:
        """Fill the templates in.

        Raises:
            ConfigurationError: a template cannot be filled in with these arguments.
        """
        if self.signature is None or not (self.title or self.unique or self.is_limited):
            return Named(self.title, None, self.limit_key)
        values = self._values(args, kwargs)
        limit_key = self._key(self.limit_key or "", values) if self.is_limited else None
        unique_key = None if self.unique is None else self._key(self.unique, values)
        return Named(sql.text(self._fill(self.title, values))[:300], unique_key, limit_key)

    def _key(self, template: str, values: dict[str, Any]) -> str:
        return sql.short(f"{self.kind}|{self._fill(template, values)}", 255)

    def _values(self, args: Any, kwargs: Any) -> dict[str, Any]:
        assert self.signature is not None  # noqa: S101  named() has looked
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.kind}(): {error}") from None
        bound.apply_defaults()
        return bound.arguments

    def _fill(self, template: str, values: dict[str, Any]) -> str:
        try:
            return template.format(**values)
        except (KeyError, IndexError, AttributeError, TypeError, ValueError) as error:
            said = _("The template “%(template)s” of %(kind)s cannot be filled in: %(error)s.")
            raise ConfigurationError(said % {"template": template, "kind": self.kind, "error": error}) from None


def read(task: Task | None, kind: str) -> Declaration:
    """The declaration of a task; of one that this process does not know, the defaults."""
    if task is None:
        return Declaration(kind)
    options: dict[str, Any] = getattr(task, "faena_options", {})
    retries = task.max_retries or 0
    return Declaration(
        kind=kind,
        title=options.get("title", ""),
        unique=options.get("unique"),
        limit=options.get("limit"),
        limit_key=options.get("limit_key"),
        rate=options.get("rate"),
        max_attempts=1 + (retries if getattr(task, "autoretry_for", ()) else 0),
        max_crashes=options.get("max_crashes", conf.get().MAX_CRASHES),
        signature=options.get("signature"),
    )


def check_template(template: str, signature: inspect.Signature, owner: str) -> None:
    """See at import that a template can be filled in, not at the first call.

    Raises:
        ConfigurationError: it names an argument that the job does not have, or it is no template.
    """
    known = {name for name, each in signature.parameters.items() if each.kind is not each.VAR_KEYWORD}
    if len(known) < len(signature.parameters):
        return  # with **kwargs any name may come
    try:
        named = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ConfigurationError(f"{owner}: the template {template!r} is wrong: {error}.") from None
    for name in named:
        if (first := re.split(r"[.\[]", name)[0]) not in known:
            has = ", ".join(sorted(known)) or "none"
            raise ConfigurationError(
                f"{owner}: the template {template!r} names {first!r}, which is no argument of it. It has: {has}."
            )


def signature_without_run(body: Callable) -> inspect.Signature:
    """The signature that callers of a job see: without the `run` that the worker passes."""
    signature = inspect.signature(body)
    parameters = list(signature.parameters.values())
    if not parameters or parameters[0].kind not in {parameters[0].POSITIONAL_ONLY, parameters[0].POSITIONAL_OR_KEYWORD}:
        raise ConfigurationError(f"{body.__qualname__}: the first argument of a job's function is its run.")
    return signature.replace(parameters=parameters[1:])
