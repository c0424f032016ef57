"""The providers' own descriptions of their requests, which are not part of this project:
LLMCTL_CONFORMANCE_DIR names a folder with `openapi/`."""

import os
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml

from llmctl.dialects import HttpCall
from llmctl.types import Json, Media, Message, Role, Text, ToolCall, ToolResult, message

FOLDER = os.environ.get("LLMCTL_CONFORMANCE_DIR")
needs_documents = pytest.mark.skipif(not FOLDER, reason="LLMCTL_CONFORMANCE_DIR is not set")

SYSTEM = message(Role.SYSTEM, "Be brief.")
QUESTION = message(Role.USER, "Why?")
ANSWER = message(Role.ASSISTANT, "Because.")
PICTURE = Message(Role.USER, (Text("What is it?"), Media("image/png", b"\x89PNG")))
CALLS = Message(Role.ASSISTANT, (ToolCall("call_1", "weather", '{"city": "Омск"}'),))
RESULTS = Message(Role.TOOL, (ToolResult("call_1", "weather", "-20"),))
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}

# Choices of which more than one fits a message of several parts, though exactly one should.
AMBIGUOUS = {"openai": ("InputItem",)}


@cache
def _api(name: str) -> Json:
    assert FOLDER
    text = (Path(FOLDER) / "openapi" / f"{name}.openapi.yaml").read_text(encoding="utf-8")
    api = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for shape in AMBIGUOUS.get(name, ()):
        found = api["components"]["schemas"][shape]
        found["anyOf"] = found.pop("oneOf")
    return api


@cache
def _validator(api: str, schema: str) -> jsonschema.Draft202012Validator:
    components = _api(api)["components"]
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": components}
    )


@cache
def _fields(api: str, schema: str) -> frozenset[str]:
    """The fields that the description names, those of its parts among them."""

    def named(shape: Json) -> set[str]:
        if reference := shape.get("$ref"):
            shape = _api(api)["components"]["schemas"][reference.rpartition("/")[2]]
        parts = [named(part) for part in shape.get("allOf", [])]
        return set(shape.get("properties", {})).union(*parts)

    return frozenset(named({"$ref": schema}))


def check(http: HttpCall, api: str, schema: str) -> None:
    """The body is as documented, and has no field that the description does not name."""
    assert http.body is not None
    _validator(api, schema).validate(http.body)
    assert set(http.body) <= _fields(api, schema)
