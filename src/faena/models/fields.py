"""Field types the rows share."""

from __future__ import annotations

import json
from typing import Any

from django.db import models


class JSONText(models.TextField):
    """JSON kept as text, so that both databases store every value alike and raw SQL may write it.

    PostgreSQL's jsonb would refuse a NUL character inside a string and would parse what nobody asks for.
    """

    # For the type checker: what is set and got is any JSON value.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, *_: object) -> Any:
        """Text from the database to the value it holds; NULL is None."""
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: Any) -> str | None:
        """The value to its text; None is NULL."""
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def to_python(self, value: Any) -> Any:
        """Values are held as they are."""
        return value
