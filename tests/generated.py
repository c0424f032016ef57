"""What in `config/` is made from the code: `python -m tests.generated` writes it anew.

The table of exit codes comes from llmctl/errors.py, what keys begin with from the cards in
providers/, the JSON Schemas of cards and of settings files from the frozen classes in
llmctl/cards.py and llmctl/settings/shape.py. All are checked in, for editors, for programs that
call llmctl and for llmctl itself; test_generated.py says when they are stale.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from llmctl import catalogue, messages, resources
from llmctl.cards import Card
from llmctl.errors import exit_codes
from llmctl.settings import Settings
from llmctl.structure import adapted, build

CONFIG = Path(__file__).parent.parent / "config"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Schemas(GenerateJsonSchema):
    # "the empty mapping" is a default that JSON Schema need not state
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012


@contextmanager
def in_english() -> Iterator[None]:
    """Texts without a translation, whatever the environment's language."""
    before = os.environ.get("LANGUAGE")
    os.environ["LANGUAGE"] = "C"
    messages.lookup.cache_clear()
    try:
        yield
    finally:
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before
        messages.lookup.cache_clear()


def exit_code_table() -> dict[str, Any]:
    """As `llmctl help exit-codes --json` prints it."""
    with in_english():
        return {"version": 1, "exit_codes": [asdict(one) for one in exit_codes()]}


def card_schema() -> dict[str, Any]:
    """What a file in `providers/` may hold."""
    return _headed("A card of llmctl: what is known of a provider", _schema(Card))


def key_prefixes() -> dict[str, Any]:
    """Which provider's keys begin how, from all shipped cards."""
    files = sorted(one.name for one in resources.providers().iterdir())
    cards = [build(Card, catalogue.shipped_table(one.removesuffix(".toml"))) for one in files]
    return {prefix: one.id for one in cards for prefix in one.auth.key_prefixes}


def settings_schema() -> dict[str, Any]:
    """What config.toml and .llmctl.toml may hold: the settings, and named sets of them."""
    schema = _schema(Settings)
    del schema["description"]  # it speaks of all layers, and a file is one of them
    of_provider = schema["$defs"]["ProviderSettings"]
    # In a file both stand beside the rest, under names that each card gives.
    del of_provider["properties"]["urls"], of_provider["properties"]["extra"]
    of_provider["additionalProperties"] = {"type": "string"}
    profile = {key: value for key, value in schema.items() if key != "$defs"}
    schema["$defs"]["Profile"] = profile
    profiles = {"type": "object", "additionalProperties": {"$ref": "#/$defs/Profile"}}
    schema["properties"] = {**profile["properties"], "profiles": profiles}
    return _headed("Settings of llmctl", schema)


def _schema(kind: type) -> dict[str, Any]:
    made = adapted(kind).json_schema(schema_generator=Schemas)
    tidied: dict[str, Any] = _tidied(made)
    return tidied


def _headed(title: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, "title": title, **schema}


def _tidied(value: Any) -> Any:
    """Without what says nothing: titles made from names, and null, which TOML cannot write."""
    if isinstance(value, list):
        return [_tidied(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: _tidied(one)
        for key, one in value.items()
        if not (key == "title" and isinstance(one, str)) and (key, one) != ("default", None)
    }
    choices = [one for one in kept.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        del kept["anyOf"]
        kept = {**choices[0], **kept}
    return kept


FILES: dict[str, Callable[[], dict[str, Any]]] = {
    "exit-codes.json": exit_code_table,
    "key-prefixes.json": key_prefixes,
    "schemas/card.schema.json": card_schema,
    "schemas/settings.schema.json": settings_schema,
}


def written(name: str) -> str:
    """The text that the file of this name must have."""
    return json.dumps(FILES[name](), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    for name in FILES:
        path = CONFIG / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(written(name), encoding="utf-8")
        print(path.relative_to(CONFIG.parent))


if __name__ == "__main__":
    main()
