"""What a row says of how it is to be answered: limits, options, a schema of its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmctl.errors import LlmctlError
from llmctl.types import Json
from tests.unit.cli.batches import call, maker

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
OTHER = {"type": "object", "properties": {"b": {"type": "string"}}}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of(options: Json, **flags: Any) -> Any:
    return call({"prompt": "Hello", "options": options}, **flags)


def refusal(values: dict[str, Json], **flags: Any) -> str:
    with pytest.raises(LlmctlError) as caught:
        call({"prompt": "Hello", **values}, **flags)
    assert caught.value.code == "usage"
    return caught.value.message


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_limit_of_a_row_is_that_of_its_call(name: str) -> None:
    assert of({name: 7}).max_tokens == 7
    assert of({name: 7}, max_tokens=100).max_tokens == 7
    assert of({}, max_tokens=100).max_tokens == 100
    assert name not in of({name: 7}).options


def test_zero_is_a_temperature_and_a_seed() -> None:
    found = of({"temperature": 0, "seed": 0}, temperature=0.7, seed=5)

    assert (found.temperature, found.seed) == (0, 0)


@pytest.mark.parametrize(("stop", "wanted"), [("a", ("a",)), (["a", "b"], ("a", "b")), ([], ())])
def test_where_to_stop(stop: Json, wanted: tuple[str, ...]) -> None:
    assert of({"stop": stop}).stop == wanted


def test_all_else_is_passed_on_over_what_all_rows_have() -> None:
    found = of({"top_p": 0.5, "n": {"a": [1]}}, option=["top_p=0.9", "k=3"])

    assert found.options == {"top_p": 0.5, "k": 3, "n": {"a": [1]}}


def test_options_of_a_table_are_text() -> None:
    assert of('{"top_p": 0.5, "max_tokens": 3}').options == {"top_p": 0.5}
    empty: list[Json] = ["", None, {}, "{}"]
    for one in empty:
        assert of(one).options == {}


def test_a_stream_is_for_nobody_here() -> None:
    found = of({"stream": True, "stream_options": {"include_usage": True}})

    assert found.options == {}
    assert found.stream is False


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("{", "options is no object"),
        ("[1]", "options is no object"),
        ([1], "options is no object"),
        (5, "options is no object"),
        ({"max_tokens": 0}, "max_tokens is no whole number"),
        ({"max_tokens": -1}, "max_tokens is no whole number"),
        ({"max_tokens": "7"}, "max_tokens is no whole number"),
        ({"max_tokens": 7.5}, "max_tokens is no whole number"),
        ({"max_tokens": True}, "max_tokens is no whole number"),
        ({"max_completion_tokens": []}, "max_completion_tokens is no whole number"),
        ({"temperature": "hot"}, "temperature is no number"),
        ({"temperature": False}, "temperature is no number"),
        ({"seed": [1]}, "seed is no number"),
        ({"seed": 1.5}, "seed is no number"),
        ({"stop": 5}, "stop is no text"),
        ({"stop": [1]}, "stop is no text"),
        ({"stop": {"a": "b"}}, "stop is no text"),
        ({"messages": []}, "messages is no option"),
        ({"model": "m"}, "model is no option"),
    ],
)
def test_options_that_cannot_be_meant(options: Json, said: str) -> None:
    assert said in refusal({"options": options})


# ---- schemas


@pytest.mark.parametrize("given", [SCHEMA, json.dumps(SCHEMA)])
def test_a_schema_is_an_object_or_its_text(given: Json) -> None:
    assert call({"prompt": "Hello", "schema": given}).schema == SCHEMA
    talk: list[Json] = [{"role": "user", "content": "Hello"}]
    assert call({"messages": talk, "schema": given}).schema == SCHEMA


def test_that_of_a_row_comes_before_that_of_all() -> None:
    whole = json.dumps(OTHER)

    assert call({"prompt": "Hello"}, schema=whole).schema == OTHER
    assert call({"prompt": "Hello", "schema": ""}, schema=whole).schema == OTHER
    assert call({"prompt": "Hello", "schema": SCHEMA}, schema=whole).schema == SCHEMA
    assert maker(schema=whole).schema == OTHER


def shaped(schema: Json) -> dict[str, Json]:
    return {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": schema}}


def test_the_schema_of_a_response_format_is_one() -> None:
    found = of({"response_format": shaped(SCHEMA), "top_p": 1})

    assert found.schema == SCHEMA
    assert found.options == {"top_p": 1}


def test_beside_a_schema_of_the_row_it_is_not_sent_on() -> None:
    found = call(
        {"prompt": "Hello", "schema": SCHEMA, "options": {"response_format": shaped(OTHER)}}
    )

    assert found.schema == SCHEMA
    assert "response_format" not in found.options


def test_a_response_format_of_another_kind_is_an_option() -> None:
    kind = {"type": "json_object"}

    assert of({"response_format": kind}).options == {"response_format": kind}


@pytest.mark.parametrize(
    "values",
    [
        {"schema": "{"},
        {"schema": "[]"},
        {"schema": 5},
        {"schema": ["a"]},
        {"schema": {"type": "nothing"}},
        {"options": {"response_format": {"type": "json_schema"}}},
        {"options": {"response_format": shaped(None)}},
        {"options": {"response_format": shaped({"type": "nothing"})}},
    ],
)
def test_a_schema_that_is_none_fails_its_row(values: dict[str, Json]) -> None:
    refusal(values)


def test_thousands_of_schemas_are_not_all_kept() -> None:
    from llmctl.rows import Row

    one = maker()
    for number in range(1200):
        schema = {**OTHER, "title": str(number)}
        made = one.make(Row(number + 1, {"prompt": "Hello", "schema": schema}))
        assert made.call.schema == schema  # type: ignore[union-attr]
    assert len(one._schemas) <= 1001
