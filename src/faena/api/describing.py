"""What the schema says beyond django-ninja's own: examples at each operation, errors, and the key of a POST."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from faena.api.idempotency import HEADER
from faena.api.problems import MEDIA_TYPE, TYPE

_PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong, as RFC 9457 has it.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": f"Such as `{TYPE}not-allowed`."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, and what to do."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["place", "message"],
                "properties": {"place": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
    "example": {
        "type": f"{TYPE}invalid-request",
        "title": "Invalid request",
        "status": 422,
        "detail": "Nothing was done. body.priority: Input should be less than or equal to 9",
        "errors": [{"place": "body.priority", "message": "Input should be less than or equal to 9"}],
    },
}
_ERROR = {
    "description": "A problem",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_KEY = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "maxLength": 255, "pattern": r"^[!-~]*$"},
    "description": "Sent again with the same key within 24 hours, the request is not done again; its answer is.",
}


def describe(schema: Any) -> Any:
    """The schema with all of that."""
    schemas = schema["components"]["schemas"]
    schemas["Problem"] = _PROBLEM
    for method, operation in _operations(schema):
        operation["responses"]["4XX"] = operation["responses"]["5XX"] = _ERROR
        if method == "post":
            operation["parameters"] = [*operation["parameters"], _KEY]
        for content in _contents(operation):
            name, of_many = _reference(content["schema"]), _reference(content["schema"].get("items", {}))
            if "example" in schemas.get(name, {}):
                content["example"] = schemas[name]["example"]
            elif "example" in schemas.get(of_many, {}):
                content["example"] = [schemas[of_many]["example"]]
    return schema


def _operations(schema: Any) -> Iterator[tuple[str, Any]]:
    return ((method, operation) for path in schema["paths"].values() for method, operation in path.items())


def _contents(operation: Any) -> Iterator[Any]:
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        yield from part.get("content", {}).values()


def _reference(schema: dict[str, Any]) -> str:
    named = [schema, *schema.get("anyOf", [])]
    return next((each["$ref"].rpartition("/")[2] for each in named if "$ref" in each), "")
