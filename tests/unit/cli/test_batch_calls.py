"""Rows of a job as calls: what the flags say of all, and each row of itself."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from llmctl.errors import LlmctlError, UsageError
from llmctl.rows import Row
from llmctl.rows.local import local_rows
from llmctl.types import Chat, Complete, Json, Media, Message, Role, Text
from tests.unit.cli.batches import MODEL, call, made, maker

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
OTHER = {"type": "object", "properties": {"b": {"type": "string"}}}
HELLO: list[Json] = [{"role": "user", "content": "Hello"}]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(one: Any) -> list[tuple[str, str]]:
    return [(m.role.value, m.text) for m in one.messages]


def refusal(values: dict[str, Json], **flags: Any) -> LlmctlError:
    with pytest.raises(LlmctlError) as caught:
        call(values, **flags)
    return caught.value


# ---- who is asked


def test_the_model_of_all_rows_and_that_of_one() -> None:
    one = maker()
    usual = one.make(Row(1, {"prompt": "Hello"}))
    own = one.make(Row(2, {"prompt": "Hello", "model": "ollama/other"}))

    assert (usual.route.requested, usual.named) == (MODEL, False)
    assert (own.route.requested, own.call.model, own.named) == ("ollama/other", "other", True)
    assert one.make(Row(3, {"prompt": "Hello"})).route is usual.route


def test_an_unknown_model_fails_its_row_and_says_so_each_time() -> None:
    one = maker()
    for line in (7, 8):
        with pytest.raises(LlmctlError) as caught:
            one.make(Row(line, {"prompt": "Hello", "model": "nobody/m"}))
        assert "nobody" in caught.value.message
    assert one.make(Row(9, {"prompt": "Hello"})).route.requested == MODEL


def test_a_model_without_a_key_fails_its_row() -> None:
    assert refusal({"prompt": "Hello", "model": "openai/gpt-6-luna"}).code == "auth"


@pytest.mark.parametrize("odd", ["", "  ", 5, ["a"], False])
def test_a_model_that_is_no_name(odd: Json) -> None:
    assert "model is no name" in refusal({"prompt": "Hello", "model": odd}).message


def test_rows_that_all_name_their_model_need_no_other() -> None:
    assert made({"prompt": "a", "model": "ollama/x"}, model=None).route.requested == "ollama/x"


# ---- what is asked


def test_a_prompt_is_a_message() -> None:
    assert said(call({"prompt": "Hello", "id": "x"})) == [("user", "Hello")]
    assert said(call({"id": "x", "review": "Good"})) == [("user", "Good")]
    assert said(call({"a": "1", "b": "2"}, column="b")) == [("user", "2")]


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ({"a": "1", "b": "2"}, {}),
        ({"prompt": "Hello"}, {"column": "b"}),
        ({"prompt": None}, {}),
        ({"prompt": ["Hello"]}, {}),
        ({"prompt": ""}, {}),
        ({}, {}),
    ],
)
def test_a_row_without_a_text_is_refused(values: dict[str, Json], flags: dict[str, Any]) -> None:
    assert refusal(values, **flags).code == "usage"


def test_messages_are_a_conversation() -> None:
    talk: list[Json] = [*HELLO, {"role": "assistant", "content": "Hi"}, *HELLO]

    wanted = [("user", "Hello"), ("assistant", "Hi"), ("user", "Hello")]
    assert said(call({"messages": talk})) == wanted
    assert said(call({"messages": json.dumps(talk)})) == wanted  # as a table has it
    assert said(call({"messages": talk, "prompt": "no"})) == wanted
    assert said(call({"messages": talk, "prompt": "Yes"}, column="prompt")) == [("user", "Yes")]


@pytest.mark.parametrize(
    ("values", "flags", "system"),
    [
        ({}, {}, None),
        ({}, {"system": "Flags."}, "Flags."),
        ({"system": "Row."}, {}, "Row."),
        ({"system": "Row."}, {"system": "Flags."}, "Row."),
        ({"system": ""}, {"system": "Flags."}, "Flags."),
        ({"system": None}, {"system": "Flags."}, "Flags."),
    ],
)
def test_the_system_text_of_a_row_comes_first(
    values: dict[str, Json], flags: dict[str, Any], system: str | None
) -> None:
    opening = [] if system is None else [("system", system)]

    assert said(call({"prompt": "Hello", **values}, **flags)) == [*opening, ("user", "Hello")]
    assert said(call({"messages": HELLO, **values}, **flags)) == [*opening, ("user", "Hello")]


def test_a_conversation_has_one_system_text() -> None:
    talk: list[Json] = [{"role": "system", "content": "Own."}, *HELLO]

    assert said(call({"messages": talk})) == [("system", "Own."), ("user", "Hello")]
    assert said(call({"messages": talk}, system="Flags.")) == [
        ("system", "Flags."), ("user", "Hello"),
    ]  # fmt: skip


@pytest.mark.parametrize("flags", [{}, {"system": "Be brief."}])
def test_a_conversation_with_nothing_to_answer(flags: dict[str, Any], folder: Path) -> None:
    (folder / "a.txt").write_text("A")
    only: dict[str, Json] = {"messages": [{"role": "system", "content": "x"}], "files": "a.txt"}

    assert "nothing that is to be answered" in refusal(only, **flags).message
    assert refusal(only, **flags, attachments="files").code == "usage"


@pytest.mark.parametrize("odd", [5, ["Be brief."], {}, True])
def test_a_system_text_that_is_none(odd: Json) -> None:
    assert "system is no text" in refusal({"prompt": "Hello", "system": odd}).message


def test_text_to_go_on_with() -> None:
    found = call({"prompt": "Once"}, complete=True)

    assert isinstance(found, Complete)
    assert found.prompt == "Once"
    assert refusal({"messages": HELLO}, complete=True).code == "usage"


# ---- templates


def test_a_template_has_the_columns() -> None:
    values: dict[str, Json] = {"title": "T", "text": "Long.", "n": 3}

    assert said(call(values, template="Sum up {{ title }} in {{ n }}: {{ text }}")) == [
        ("user", "Sum up T in 3: Long."),
    ]  # fmt: skip


def test_what_it_does_not_use_comes_after_it_once() -> None:
    assert said(call({"text": "Long."}, template="Sum up, {{ n }}.", param=["n=2"])) == [
        ("user", "Sum up, 2.\n\nLong."),
    ]  # fmt: skip
    assert said(call({"text": "Long."}, template="Sum up {{ input }}")) == [
        ("user", "Sum up Long."),
    ]  # fmt: skip


def test_a_column_that_a_row_has_not_fails_that_row_alone() -> None:
    one = maker(template="Sum up {{ title }}: {{ text }}")
    first = one.make(Row(1, {"title": "T", "text": "a"}))
    with pytest.raises(UsageError, match="title"):
        one.make(Row(2, {"text": "b"}))

    assert said(one.make(Row(3, {"title": "U", "text": "c"})).call) == [("user", "Sum up U: c")]
    assert said(first.call) == [("user", "Sum up T: a")]


def test_text_of_a_row_is_no_template() -> None:
    evil = "{{ secret }} {% for a in b %}"

    assert said(call({"text": evil}, template="Say: {{ text }}")) == [("user", f"Say: {evil}")]


def test_a_template_that_is_not_there_is_refused_before_any_row() -> None:
    with pytest.raises(LlmctlError):
        maker(template="nowhere")
    with pytest.raises(UsageError, match="-p sets a variable"):
        maker(param=["a=1"])


# ---- OpenAI's lines


def test_a_line_for_openais_batches(folder: Path) -> None:
    body = {
        "model": "ollama/x", "messages": HELLO, "max_completion_tokens": 7, "temperature": 0,
        "stop": "END", "top_p": 0.5, "stream": True, "stream_options": {"include_usage": True},
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
    }  # fmt: skip
    line = {"custom_id": "r1", "method": "POST", "url": "/v1/chat/completions", "body": body}
    (folder / "in.jsonl").write_text(json.dumps(line))
    (row,) = local_rows("in.jsonl")
    assert isinstance(row, Row)

    found = maker().make(row)

    assert row.name == "r1"
    assert (found.route.requested, found.named) == ("ollama/x", True)
    assert isinstance(found.call, Chat)
    assert found.call == Chat(
        model="x", messages=(Message(Role.USER, (Text("Hello"),)),), max_tokens=7,
        temperature=0, stop=("END",), schema=SCHEMA, stream=False, options={"top_p": 0.5},
    )  # fmt: skip


# ---- files


def test_files_of_a_row_are_sent_only_where_the_user_says_so(folder: Path) -> None:
    (folder / "secret.txt").write_text("S3CRET")
    values: dict[str, Json] = {"prompt": "Hello", "attachments": ["secret.txt"]}

    assert "nobody has said" in refusal(values).message
    found = call(values, attachments="attachments")
    assert "S3CRET" in "".join(part.text for part in found.messages[-1].parts)
    # Another column than the one that was named is none.
    assert "S3CRET" not in str(call({"prompt": "Hello", "file": "secret.txt"}))


def test_one_file_several_or_none(folder: Path) -> None:
    pixel = b"\x89PNG\r\n\x1a\n" + b"\0" * 30
    (folder / "a.png").write_bytes(pixel)
    (folder / "b.txt").write_text("B")
    for given, count in (("a.png", 1), (["a.png", "b.txt"], 2), ([], 0), (None, 0), ("", 0)):
        parts = call({"prompt": "Hi", "files": given}, attachments="files").messages[-1].parts
        assert len(parts) == count + 1
        assert parts[-1] == Text("Hi")
        assert isinstance(parts[0], Media) == (count > 0)
    talk = call({"messages": [*HELLO, *HELLO], "files": "a.png"}, attachments="files")
    assert [len(one.parts) for one in talk.messages] == [1, 2]


@pytest.mark.parametrize("given", ["nowhere.png", "-", [""], 5, ["a.png", 5], {"a": 1}, True])
def test_files_that_are_none_fail_the_row(given: Json) -> None:
    error = refusal({"prompt": "Hi", "files": given}, attachments="files")

    assert not isinstance(error, AssertionError)
    assert error.exit_code != 1


def test_pictures_in_messages() -> None:
    url = "data:image/png;base64," + b64encode(b"\x89PNG").decode()
    talk: list[Json] = [{"role": "user", "content": [
        {"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": url}},
    ]}]  # fmt: skip

    assert call({"messages": talk}).messages[0].parts == (
        Text("What?"), Media("image/png", data=b"\x89PNG"),
    )  # fmt: skip


@pytest.mark.parametrize("given", [None, "", []])
def test_a_row_may_have_no_files_and_must_have_their_column(given: Json) -> None:
    assert said(call({"prompt": "Hi", "files": given}, attachments="files")) == [("user", "Hi")]

    error = refusal({"prompt": "Hi", "file": "a.png"}, attachments="files")
    assert error.code == "usage"
    assert "there is no column files" in error.message
    assert "prompt, file" in error.message


def test_a_variable_that_the_template_does_not_have_is_told_before_any_row() -> None:
    with pytest.raises(UsageError) as caught:
        maker(template="translate", param=["language=ru"])

    assert "language" in caught.value.message
    assert caught.value.hint == "what it has: to"


def test_what_may_be_done_about_a_row_is_not_lost() -> None:
    """A schema is read for a row as for the command; what helps there is told with the failure."""
    error = refusal({"prompt": "x", "schema": {"type": "no such"}})

    assert error.code == "usage"
    assert error.hint is not None
    assert error.failure().hint == error.hint
