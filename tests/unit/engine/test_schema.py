"""Schemas: read from text or file, refused where they are none, and answers checked."""

import json
from pathlib import Path

import pytest

from llmctl.engine.schema import check_answer, read_schema, repair_prompt
from llmctl.errors import SchemaMismatch, UsageError
from llmctl.types import Json

FRUIT: dict[str, Json] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "weight": {"type": "integer", "minimum": 1}},
    "required": ["name"],
}


def test_from_text_and_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "fruit.json"
    file.write_text("\ufeff" + json.dumps(FRUIT), encoding="utf-8")

    assert FRUIT == read_schema(json.dumps(FRUIT)) == read_schema(str(file))


@pytest.mark.parametrize(
    "given",
    [
        "no-such-file.json",
        "{",
        "[]",
        '"text"',
        '{"type": "objekt"}',
        '{"properties": {"a": 5}}',
        '{"minimum": "three"}',
        '{"$ref": "https://example.com/schema.json"}',
        '{"properties": {"a": {"$ref": "file:///etc/passwd"}}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_schema(given: str) -> None:
    with pytest.raises(UsageError):
        read_schema(given)


def test_a_file_that_is_no_schema_names_itself(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        read_schema(str(tmp_path / "nowhere"))


def test_a_matching_answer() -> None:
    assert check_answer(FRUIT, ' {"name": "pear"}\n') == {"name": "pear"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"weight": 1}', r"\$"),
        ('{"name": 5}', r"\$\.name"),
        ('{"name": "x", "weight": 0}', r"\$\.weight"),
        ("a pear", "not JSON"),
        ('{"name": "pe', "not JSON"),
        ('```json\n{"name": "pear"}\n```', "not JSON"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_mismatch_names_the_place(text: str, place: str) -> None:
    with pytest.raises(SchemaMismatch, match=place):
        check_answer(FRUIT, text)


def test_the_whole_answer_is_not_repeated() -> None:
    with pytest.raises(SchemaMismatch) as caught:
        check_answer({"type": "string"}, json.dumps({"a": "x" * 10_000}))
    assert len(caught.value.message) < 300


def test_local_references_work() -> None:
    schema = read_schema('{"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}}')

    assert check_answer(schema, "4") == 4
    with pytest.raises(SchemaMismatch):
        check_answer(schema, '"4"')


def test_the_repair_prompt_says_what_was_wrong() -> None:
    with pytest.raises(SchemaMismatch) as caught:
        check_answer(FRUIT, "{}")

    asked = repair_prompt(FRUIT, caught.value)

    assert "name" in asked
    assert json.dumps(FRUIT) in asked
