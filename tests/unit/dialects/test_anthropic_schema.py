"""Schemas as far as a model can be held to them: closed, and with other limits in words."""

import json
from typing import Any

import jsonschema
import pytest

from llmctl.dialects.anthropic_schema import can_hold, narrowed
from llmctl.types import Json

NODE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "number", "description": "A figure", "exclusiveMinimum": 0},
                "next": {"anyOf": [{"$ref": "#/$defs/node", "default": None}, {"type": "null"}]},
            },
        }
    },
}


def test_objects_are_closed_at_every_depth() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = {
        "type": "object",
        "properties": {"list": {"type": "array", "items": inner}, "type": inner},
        "additionalProperties": False,
    }
    closed = {**inner, "additionalProperties": False}

    assert narrowed(schema) == {
        "type": "object",
        "properties": {"list": {"type": "array", "items": closed}, "type": closed},
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("schema", "held"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9},
         {"type": "integer", "description": '{"minimum": 1, "maximum": 9}'}),
        ({"type": "string", "pattern": "^я", "description": "A word"},
         {"type": "string", "description": 'A word\n\n{"pattern": "^я"}'}),
        ({"type": "string", "format": "email"}, {"type": "string", "format": "email"}),
        ({"type": "string", "format": "phone"},
         {"type": "string", "description": '{"format": "phone"}'}),
        ({"type": "array", "items": {"type": "null"}, "minItems": 1},
         {"type": "array", "items": {"type": "null"}, "minItems": 1}),
        ({"type": "array", "items": {"type": "null"}, "minItems": 2},
         {"type": "array", "items": {"type": "null"}, "description": '{"minItems": 2}'}),
        ({"oneOf": [{"const": 1}, {"enum": ["a", None]}]},
         {"anyOf": [{"const": 1}, {"enum": ["a", None]}]}),
        ({"type": ["string", "null"], "title": "T"}, {"type": ["string", "null"], "title": "T"}),
    ],
)  # fmt: skip
def test_limits_go_into_the_description(schema: Json, held: Json) -> None:
    assert narrowed(schema) == held


def test_nothing_stands_beside_a_reference() -> None:
    held = narrowed(NODE)

    assert held["$ref"] == "#/$defs/node"
    assert set(held) == {"$ref", "$defs"}
    assert held["$defs"]["node"]["properties"]["next"]["anyOf"][0] == {"$ref": "#/$defs/node"}


def test_what_fits_and_is_closed_fits_the_users_schema() -> None:
    instance = {"value": 2, "next": {"value": 1, "next": None}}

    jsonschema.validate(instance, NODE)
    jsonschema.validate(instance, narrowed(NODE))
    jsonschema.Draft202012Validator.check_schema(narrowed(NODE))


def test_the_users_schema_stays_as_it_was() -> None:
    before = json.dumps(NODE)
    narrowed(NODE)["$defs"]["node"]["properties"].clear()

    assert json.dumps(NODE) == before


OPEN: dict[str, Any] = {
    "free keys": {"type": "object", "additionalProperties": {"type": "integer"}},
    "any object": {"type": "object"},
    "named and free keys": {
        "type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": True,
    },
    "anything": {},
    "anything in a list": {"type": "array", "items": {}},
    "anything under a name": {"type": "object", "properties": {"a": {"description": "x"}}},
    "anything as a choice": {"anyOf": [{"type": "null"}, {"type": "object"}]},
    "anything behind a reference": {"$ref": "#/$defs/a", "$defs": {"a": {"title": "A"}}},
}  # fmt: skip


@pytest.mark.parametrize("schema", OPEN.values(), ids=OPEN)
def test_what_cannot_be_closed(schema: Json) -> None:
    assert not can_hold(schema)


@pytest.mark.parametrize("schema", [
    NODE,
    {"type": "object", "properties": {"a": {"enum": [1, 2]}}, "additionalProperties": False},
    {"type": "array", "items": {"anyOf": [{"type": "string"}, {"const": 3}]}},
    {"type": "string"},
])  # fmt: skip
def test_what_can(schema: Json) -> None:
    assert can_hold(schema)
