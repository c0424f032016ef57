"""What `llmctl embed` is asked for, where its texts come from, and which models make vectors."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from llmctl.cli import embed_models as models
from llmctl.cli import stdin
from llmctl.cli.embed_asked import EmbedAsked
from llmctl.cli.embed_source import Source, begun, items, source_of
from llmctl.engine.embedding import Item
from llmctl.errors import ConfigError, LlmctlError, UsageError
from llmctl.settings import Defaults, Loaded, Settings
from llmctl.types import Embed


def asked(**flags: Any) -> EmbedAsked:
    return EmbedAsked(**flags)


def read(path: Path | None, text: str | None = None, **flags: Any) -> list[Item]:
    async def run() -> list[Item]:
        source = Source(text=text, path=None if path is None else str(path))
        return [one async for one in items(asked(**flags), source)]

    return asyncio.run(run())


# ---- flags


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"text": "a", "file": "b"}, "two sources"),
        ({"text": "  "}, "the text is empty"),
        ({"text": "a", "column": "b"}, "--column is for rows"),
        ({"text": "a", "input_format": "csv"}, "--input-format is for rows"),
        ({"text": "a", "input_format": "xml"}, "--input-format does not know xml"),
        ({"file": "a.csv", "input_format": "xml"}, "--input-format does not know xml"),
        ({"purpose": "both"}, "--purpose does not know both"),
        ({"format": "parquet"}, "--format does not know parquet"),
        ({"similar": " "}, "--similar needs a text"),
        ({"json": True, "format": "f32"}, "--json and --format"),
        ({"similar": "q", "format": "csv"}, "--similar and --format"),
        ({"similar": "q", "purpose": "query"}, "--similar and --purpose"),
        ({"similar": "q", "normalize": True}, "--similar and --normalize"),
        ({"format": "npy", "with_text": True}, "--format npy and --with-text"),
        ({"whole": True, "column": "b"}, "--column is for rows"),
        ({"whole": True, "file": "b"}, "--whole and --file"),
        ({"option": ["input=x"]}, "input is no option"),
        ({"option": ["x"]}, "KEY=VALUE"),
    ],
)
def test_flags_that_cannot_be_meant(flags: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        asked(**flags).check()


def test_the_call_without_its_texts() -> None:
    call = asked(text="a", dimensions=8, option=["user=u"]).call("m", "query")

    assert call == Embed("m", (), 8, "query", {"user": "u"})


# ---- sources


def test_one_text_has_no_line() -> None:
    assert read(None, "a\nb") == [Item(0, "a\nb", None)]


def test_empty_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\n\n  \ntwo \r\nthree")

    assert read(path) == [Item(0, "one", 1), Item(1, "two ", 4), Item(2, "three", 5)]


def test_rows_of_json(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 7, "body": "x", "text": "y"}\n{"id": "k", "body": "z\\nz"}\n')

    assert read(path, column="body") == [Item(0, "x", 1, "7"), Item(1, "z\nz", 2, "k")]


def test_rows_of_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,"a, b"\n2,c\n')

    assert [(one.text, one.id) for one in read(path, column="text")] == [
        ("a, b", "1"),
        ("c", "2"),
    ]


def test_no_more_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("1\n2\n3\n")

    assert [one.text for one in read(path, limit=2)] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "", "has no text in it"),
        ("a.txt", "\n \n", "has no text in it"),
        ("a.jsonl", '{"text": "x"}\n{"text": " "}\n', "line 2: text is empty"),
        ("a.jsonl", '{"text": "x"}\n{"tex\n', "line 2: no JSON"),
        ("a.jsonl", '{"text": "x"}\n{"text": ""}\n', "line 2: text is empty"),
    ],
)
def test_rows_that_make_no_vector(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(UsageError, match=said):
        read(path, column="text" if name.endswith("jsonl") else None)


def test_a_row_without_the_column(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"body": "x"}\n')

    with pytest.raises(UsageError, match="title") as caught:
        read(path, column="title")
    assert "body" in f"{caught.value.message} {caught.value.hint}"


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises((UsageError, ConfigError), match=r"missing\.txt"):
        read(tmp_path / "missing.txt")


def test_nothing_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmctl.cli.embed_source.piped", lambda: False)

    with pytest.raises(UsageError, match="there is no text"):
        source_of(asked(), None)


def test_the_source_is_read_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n")

    async def first(name: Path) -> list[str]:
        texts = await begun(items(asked(), Source(path=str(name))))
        return [one.text async for one in texts]

    with pytest.raises(UsageError, match=r"missing\.txt"):
        asyncio.run(first(tmp_path / "missing.txt"))
    assert asyncio.run(first(path)) == ["one", "two"]


@pytest.mark.parametrize("quiet", [True, False])
def test_a_silent_standard_input_is_remarked_on(
    quiet: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("llmctl.cli.stdin.err", told.append)
    monkeypatch.setattr("llmctl.cli.stdin._ready", lambda seconds: seconds < stdin.NOTICE_SECONDS)
    monkeypatch.setattr("llmctl.cli.embed_source.piped", lambda: True)

    assert source_of(asked(quiet=quiet), None) == Source()
    assert ["--no-stdin" in one for one in told] == ([] if quiet else [True])


def test_standard_input_is_left_alone_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmctl.cli.embed_source.piped", lambda: True)
    monkeypatch.setattr("llmctl.cli.stdin._ready", lambda _seconds: True)

    assert source_of(asked(), None) == Source()
    with pytest.raises(UsageError, match="there is no text"):
        source_of(asked(no_stdin=True), None)


# ---- models


def loaded(model: str | None = None) -> Loaded:
    return Loaded(Settings(defaults=Defaults(model=model)), {})


def test_a_default_that_makes_vectors_is_taken() -> None:
    name = "openai/text-embedding-3-small"

    assert models.named(None, loaded(name)) == name
    assert models.named("gemini/x", loaded(name)) == "gemini/x"


def test_without_any_the_bundled_one_is_taken_or_some_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(models, "find_spec", lambda _name: object())
    assert models.named(None, loaded("openai/gpt-6-luna")) == "local/multilingual-e5-small"

    monkeypatch.setattr(models, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="which model") as caught:
        models.named(None, loaded())
    assert caught.value.hint is not None
    assert "-m gemini/gemini-embedding-2" in caught.value.hint


def test_a_model_that_only_chats_is_refused() -> None:
    with pytest.raises(UsageError, match="makes no vectors") as caught:
        models.refuse_others("openai/gpt-6-luna", loaded())

    assert caught.value.hint is not None
    assert "openai/text-embedding-3-small" in caught.value.hint


@pytest.mark.parametrize("name", ["openai/text-embedding-3-large", "openai/not-listed"])
def test_others_may_make_them(name: str) -> None:
    models.refuse_others(name, loaded())


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("openai/text-embedding-3-small", True),
        ("gemini/gemini-embedding-2", False),
        ("yandexgpt/text-search-doc", False),
        ("ollama/bge-m3", True),
    ],
)
def test_whether_a_question_is_asked_otherwise(
    name: str, same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmctl.engine.resolve import resolve

    monkeypatch.setenv("YC_FOLDER_ID", "b1g")
    route = resolve(name, loaded(), shown=True)
    call = Embed(route.model, (), purpose="query")

    assert models.same_for_all(route, call) is same
    assert bool(models.unheeded(route, call)) is same
    assert models.unheeded(route, Embed(route.model, ())) == []


def test_more_numbers_than_the_model_has_are_refused() -> None:
    from llmctl.engine.resolve import resolve

    route = resolve("openai/text-embedding-3-small", loaded(), shown=True)

    with pytest.raises(LlmctlError, match="at most 1536 numbers"):
        models.refuse_format(route, Embed(route.model, (), dimensions=2000), loaded())
    models.refuse_format(route, Embed(route.model, (), dimensions=256), loaded())
