"""The fields of a row that are more than text (options, schemas, lists); tables have them as
JSON."""

import json
from collections.abc import Mapping
from typing import Any

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Chat, Complete, Fill, Json
from llmctl.values import replace

# What a row may say of how it is to be answered, by the names that chat completions have for it.
LIMITS = ("max_tokens", "max_completion_tokens")


def object_of(value: Json, name: str) -> dict[str, Json]:
    """A column that is an object of JSON; tables have it as text."""
    if value in (None, ""):
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, Mapping):
        raise UsageError(_("{name} is no object of JSON", name=name))
    return dict(value)


def list_of(value: Json) -> Json:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def split(options: dict[str, Json]) -> tuple[dict[str, Any], dict[str, Json]]:
    """What of a row's options is said in each format by a name of its own, and the rest."""
    knobs: dict[str, Any] = {}
    rest = dict(options)
    rest.pop("stream", None)
    rest.pop("stream_options", None)
    for name in LIMITS:
        if (value := rest.pop(name, None)) is not None:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise UsageError(_("{name} is no whole number from 1", name=name))
            knobs["max_tokens"] = value
    for name, kinds in (("temperature", (int, float)), ("seed", (int,))):
        if (value := rest.pop(name, None)) is not None:
            if not isinstance(value, kinds) or isinstance(value, bool):
                raise UsageError(_("{name} is no number", name=name))
            knobs[name] = value
    if (stop := rest.pop("stop", None)) is not None:
        knobs["stop"] = [stop] if isinstance(stop, str) else stop
        if not (isinstance(stop, str | list) and all(isinstance(x, str) for x in knobs["stop"])):
            raise UsageError(_("{name} is no text", name="stop"))
    return knobs, rest


def response_schema(options: dict[str, Json]) -> Mapping[str, Json] | None:
    """The schema of `response_format`, taken out of the options."""
    found = options.get("response_format")
    if not isinstance(found, Mapping) or found.get("type") != "json_schema":
        return None
    del options["response_format"]
    from llmctl.engine.schema import valid_schema

    named = found.get("json_schema")
    return valid_schema(named.get("schema") if isinstance(named, Mapping) else None)


def without_lora(call: Chat | Complete | Fill) -> Chat | Complete | Fill:
    """Adapters are laid over the model, and said of no call."""
    if "lora" not in call.options:
        return call
    return replace(call, options={name: v for name, v in call.options.items() if name != "lora"})
