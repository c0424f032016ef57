"""JSON Schemas as far as Anthropic can hold a model to them."""

import json
from collections.abc import Iterator, Mapping

from llmctl.types import Json

# What its grammars know; the rest may only stand in a description.
FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
CHOICES = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
TABLES = ("$defs", "definitions", "properties")
KEPT = ("type", "enum", "const", "description", "title", "required")
DROPPED = ("additionalProperties", "$schema", "$id")
# Without one of these anything goes, and there is nothing to hold a model to.
SHAPES = ("type", "enum", "const", "$ref", *CHOICES)


def can_hold(schema: Mapping[str, Json]) -> bool:
    """Whether a grammar can be made of it. An object of free keys cannot be closed without taking
    from it what it is for."""
    if not any(name in schema for name in SHAPES):
        return False
    if _is_object(schema) and (not schema.get("properties") or schema.get("additionalProperties")):
        return False
    return all(can_hold(one) for one in _inside(schema))


def _is_object(schema: Mapping[str, Json]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _inside(schema: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    for name in TABLES:
        yield from (one for one in _table(schema.get(name)).values() if isinstance(one, dict))
    for name in CHOICES:
        yield from (one for one in schema.get(name) or () if isinstance(one, dict))
    if isinstance(items := schema.get("items"), dict):
        yield items


def narrowed(schema: Mapping[str, Json]) -> dict[str, Json]:
    """The schema with objects closed, as they must be, and with the limits that are refused (of
    numbers, lengths, patterns) moved into the description, where the model may still read them.

    What an answer owes the user's own schema is checked when it is here.
    """
    kept: dict[str, Json] = {}
    said: dict[str, Json] = {}
    for name, value in schema.items():
        if name in TABLES:
            kept[name] = {key: _inner(one) for key, one in _table(value).items()}
        elif name in CHOICES:
            kept[CHOICES[name]] = [_inner(one) for one in value]
        elif name == "items":
            kept[name] = _inner(value)
        elif name == "$ref" or (name in KEPT and "$ref" not in schema) or _is_known(name, value):
            kept[name] = value
        elif name not in DROPPED and name not in KEPT:
            said[name] = value
    if _is_object(kept):
        kept["additionalProperties"] = False
    if said and "$ref" not in schema:  # nothing may stand beside a reference
        limits = json.dumps(said, ensure_ascii=False)
        kept["description"] = "\n\n".join(filter(None, (kept.get("description"), limits)))
    return kept


def _is_known(name: str, value: Json) -> bool:
    return (name == "format" and value in FORMATS) or (name == "minItems" and value in (0, 1))


def _inner(schema: Json) -> Json:
    return narrowed(schema) if isinstance(schema, dict) else schema


def _table(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
