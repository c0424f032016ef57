"""Commands that cannot work are refused by the first rows, and leave nothing behind."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from llmctl.cli.batch_first import FIRST, blanked, check_first, held_back
from llmctl.errors import LlmctlError, PrivacyRefused, UsageError
from llmctl.rows import BadRow, Row
from llmctl.types import Json
from tests.unit.cli.batches import asked, left, loaded_for, maker, write

SECRET = "sk-proj-" + "Ab3dEf6hIj9kLm2nOp5q" * 3 + "T3BlbkFJ" + "Zx8cVb7nMa6sDf5gHj4k" * 2
PUBLIC = "openai/gpt-6-luna"


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("OPENAI_API_KEY", "made-up-for-a-test")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def look(*, begun: bool = False, **flags: Any) -> None:
    one = asked(**{"input": "in.jsonl", **flags})
    check_first(one, maker(**{"input": "in.jsonl", **flags}), loaded_for(one), begun=begun)


def refusal(**flags: Any) -> LlmctlError:
    with pytest.raises(LlmctlError) as caught:
        look(**flags)
    return caught.value


def rows(*values: dict[str, Json]) -> None:
    Path("in.jsonl").write_text("".join(json.dumps(one) + "\n" for one in values))


def test_a_column_that_no_row_has() -> None:
    write("a", "b")

    error = refusal(column="nope")

    assert isinstance(error, UsageError)
    for part in ("line 1", "nope", "prompt"):
        assert part in error.message
    assert error.exit_code == 2


def test_nobody_to_answer() -> None:
    write("a")

    assert "which model" in refusal(model=None).message


def test_a_variable_that_nobody_gives() -> None:
    write("a")

    error = refusal(template="{{ title }}: {{ prompt }}")

    assert "title" in error.message
    assert error.hint == "give it: -p title=VALUE"


def test_a_row_that_can_be_asked_is_enough() -> None:
    rows({"other": "x"}, {"prompt": "b"})

    with pytest.raises(LlmctlError):
        look(column="nope")
    look()


def test_rows_that_cannot_be_read_say_nothing_of_the_others() -> None:
    write("a", first="{torn\n" * (FIRST + 50))

    look()


def test_an_input_of_which_nothing_can_be_read() -> None:
    Path("in.jsonl").write_text("{torn\n{torn\n")

    assert "(2)" in refusal().message


def test_rows_after_the_first_are_not_waited_for() -> None:
    rows(*[{"text": ""}] * FIRST, {"text": "b"})

    assert f"({FIRST})" in refusal().message


def test_a_job_that_has_begun_goes_on() -> None:
    rows({"text": ""})

    look(begun=True)


def test_a_model_of_a_row_concerns_that_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    rows({"prompt": "a", "model": PUBLIC})

    look()


def test_only_the_rows_of_the_shard_count() -> None:
    from llmctl.batch.sharding import Shard

    mine = Shard.read("1/2")
    ids = [f"r{number}" for number in range(50)]
    here, there = (next(one for one in ids if mine.has(one) is ours) for ours in (True, False))
    rows({"id": there, "prompt": "b"}, {"id": here, "other": "a", "more": "a"})

    assert "line 2" in refusal(shard="1/2").message


# ---- --columns


def test_a_column_to_be_carried_that_no_row_has() -> None:
    rows({"prompt": "a", "label": "x"}, {"prompt": "b", "label": "y"})

    error = refusal(columns="label,nope")

    assert error.code == "usage"
    assert "nope" in error.message
    assert "prompt, label" in error.message
    look(columns="label")
    look(columns="label,nope", begun=True)


def test_a_column_that_only_some_rows_have() -> None:
    rows({"prompt": "a"}, {"prompt": "b"}, {"prompt": "c", "label": "y"})

    look(columns="label")


# ---- what all rows share


@pytest.mark.parametrize(
    "flags",
    [
        {"system": f"The key is {SECRET}."},
        {"template": f"The key is {SECRET}. {{{{ prompt }}}}"},
        {"template": "{{ key }} {{ prompt }}", "param": [f"key={SECRET}"]},
        {"option": [f"user={SECRET}"]},
    ],
    ids=["system", "template", "variable", "option"],
)
@pytest.mark.parametrize("begun", [False, True])
def test_a_secret_that_would_go_with_every_row(flags: dict[str, Any], begun: bool) -> None:
    write("a", "b")

    error = refusal(model=PUBLIC, begun=begun, **flags)

    assert isinstance(error, PrivacyRefused)
    assert error.exit_code == 4
    assert SECRET not in error.message


def test_a_secret_in_an_attached_file() -> None:
    write("a")
    Path("a.txt").write_text(SECRET)

    assert isinstance(refusal(model=PUBLIC, attachment=["a.txt"]), PrivacyRefused)


def test_a_secret_that_goes_with_a_stream() -> None:
    assert isinstance(refusal(model=PUBLIC, input="-", system=SECRET), PrivacyRefused)
    look(model=PUBLIC, input="-", system="Be brief.")


def test_secrets_of_rows_concern_them_alone() -> None:
    rows({"prompt": SECRET}, {"prompt": SECRET, "system": SECRET})

    look(model=PUBLIC)


def test_what_another_model_may_answer_is_no_reason() -> None:
    write("a")

    look(model=PUBLIC, system=SECRET, on_pii="ollama/tiny")


def test_rows_with_a_system_text_of_their_own_do_not_send_the_common_one() -> None:
    rows({"prompt": "a"}, {"prompt": "b", "system": "Be brief."})

    look(model=PUBLIC, system=SECRET)


def test_rows_that_stay_here_may_have_it() -> None:
    rows({"prompt": "a"}, {"prompt": "b", "model": "ollama/tiny"})

    look(model=PUBLIC, system=SECRET)


def test_a_row_without_what_is_its_own() -> None:
    talk: list[Json] = [{"role": "user", "content": "secret"}]
    values: dict[str, Json] = {
        "id": "r1", "prompt": "secret", "model": "openai/m", "n": 7, "flag": True, "none": None,
        "tags": ["secret"], "more": {"a": "secret"}, "options": {"user": "secret"}, "files": "a",
        "messages": talk, "empty": "",
    }  # fmt: skip

    assert blanked(values, asked(attachments="files")) == {
        "prompt": "x", "model": "openai/m", "n": 1, "flag": True, "none": None, "tags": ["x"],
        "more": {"a": "x"}, "files": None, "messages": [{"role": "user", "content": "x"}],
        "empty": "",
    }  # fmt: skip


# ---- streams


def passed(*found: Row | BadRow, **flags: Any) -> tuple[list[int], LlmctlError | None]:
    """The lines that came through, and what ended them."""
    lines: list[int] = []

    async def stream() -> AsyncGenerator[Row | BadRow, None]:
        for one in found:
            yield one

    async def all_of_them() -> None:
        async with aclosing(held_back(stream(), maker(**flags).make)) as every:
            async for one in every:
                lines.append(one.line)  # noqa: PERF401  what came before an error counts

    try:
        asyncio.run(all_of_them())
    except LlmctlError as error:
        return lines, error
    return lines, None


def test_a_stream_of_which_no_row_makes_a_call() -> None:
    few: list[Row | BadRow] = [Row(1, {"text": "a"}), BadRow(2, "torn")]
    lines, error = passed(*few, column="nope")
    assert lines == []
    assert isinstance(error, UsageError)
    assert "(2)" in error.message
    assert "line 1" in error.message

    many = [Row(line, {"text": "a"}) for line in range(1, FIRST + 1)]
    lines, error = passed(*many, Row(FIRST + 1, {"nope": "a"}), column="nope")
    assert lines == []
    assert error is not None
    assert f"({FIRST})" in error.message


def test_a_stream_flows_once_a_row_makes_a_call() -> None:
    found: list[Row | BadRow] = [
        BadRow(1, "torn"),
        Row(2, {"text": "a"}),
        BadRow(3, "torn"),
        Row(4, {"no": 1}),
    ]

    assert passed(*found) == ([1, 2, 3, 4], None)
    assert passed() == ([], None)


def test_a_model_of_a_row_does_not_hold_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")

    assert passed(Row(1, {"prompt": "a", "model": PUBLIC})) == ([1], None)


def test_nothing_is_left_of_a_mistyped_command(folder: Path) -> None:
    from llmctl.cli.batching import ran

    write("a")
    for flags in ({"column": "nope"}, {"columns": "nope"}, {"model": PUBLIC, "system": SECRET}):
        with pytest.raises(LlmctlError):
            ran(asked(input="in.jsonl", **flags))

    assert left(folder) == {"in.jsonl"}


def test_nothing_is_made_where_ray_is_not_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmctl.cli.batching import ran

    monkeypatch.setitem(sys.modules, "ray", None)
    write("a")

    with pytest.raises(LlmctlError) as caught:
        ran(asked(input="in.jsonl", output="out", engine="ray"))

    assert caught.value.exit_code == 7
    assert "pip install 'llmctl-cli[ray]'" in (caught.value.hint or "")
    assert [one.name for one in folder.iterdir()] == ["in.jsonl"]
