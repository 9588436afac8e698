"""``newFilters``: a JSON tree of rules. Of the real service's many operators those over ``recordId`` are here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


class BadFilter(ValueError):
    """The tree cannot be read, or asks for what this stand-in cannot do."""


def bounds(text: str) -> tuple[int, int | None]:
    """Return the ids that a tree lets through, as (above this, up to this or no end).

    Raises:
        BadFilter: with the reason.
    """
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise BadFilter("newFilters is not JSON") from error
    above, up_to = 0, None
    for op, value in _rules(tree):
        match op:
            case "gt" | "ge":
                above = max(above, value if op == "gt" else value - 1)
            case "lt" | "le":
                least = value if op == "le" else value - 1
                up_to = least if up_to is None else min(up_to, least)
            case _:
                raise BadFilter(f"Unknown filter operator {op!r}")
    return above, up_to


def _rules(node: Any) -> Iterator[tuple[str, int]]:
    if not isinstance(node, dict) or node.get("groupOp", "AND") != "AND":
        raise BadFilter("newFilters is a tree of groups with groupOp AND")
    for rule in node.get("rules", []):
        if rule.get("field") != "recordId":
            raise BadFilter(f"Unknown filter field {rule.get('field')!r}")
        try:
            yield str(rule.get("op")), int(rule["data"])
        except (KeyError, ValueError) as error:
            raise BadFilter("A rule's data is a record id") from error
    for group in node.get("filters", []):
        yield from _rules(group)
