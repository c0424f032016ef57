import json
from dataclasses import replace
from pathlib import Path

import pytest

from llmctl.output.choose import renderer
from llmctl.output.envelope import envelope, json_text
from llmctl.types import Notice, ReasoningDelta, TextDelta
from tests.unit.output.shared import EMPTY, FAILED, FULL, ON_TERMINAL, PIPED

CODE = replace(EMPTY, text="Here:\n```sh\nls\x1b\n```\nBye.")


def test_json_is_one_document_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    show = renderer(json=True, terminal=PIPED)
    show.event(TextDelta("Bl"))
    show.event(ReasoningDelta("hm"))
    show.event(Notice("waiting", "waiting 2 s"))
    assert capsys.readouterr() == ("", "llmctl: waiting 2 s\n")

    show.finish(FULL)
    assert capsys.readouterr() == (json_text(envelope(FULL)) + "\n", "")


def test_a_failure_is_the_same_document(capsys: pytest.CaptureFixture[str]) -> None:
    renderer(json=True, terminal=PIPED).fail(FAILED)

    printed = json.loads(capsys.readouterr().out)
    assert (printed["text"], printed["error"]["exit_code"]) == ("Bl", 8)


def test_the_document_of_a_failure_is_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    renderer(json=True, output=str(path), terminal=PIPED).fail(FAILED)

    assert json.loads(path.read_bytes())["error"]["code"] == "rate-limited"


def test_extract_prints_the_first_code_block(capsys: pytest.CaptureFixture[str]) -> None:
    show = renderer(extract=True, terminal=PIPED)
    show.event(TextDelta(CODE.text))
    assert capsys.readouterr().out == ""

    show.finish(CODE)
    assert capsys.readouterr() == ("ls\x1b\n", "")


def test_extracted_code_is_harmless_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    renderer(extract=True, receipt=False, terminal=ON_TERMINAL).finish(CODE)

    assert capsys.readouterr() == ("ls␛\n", "")


def test_an_answer_without_code_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet, note in (
        (False, "llmctl: the answer has no fenced code block; this is all of it\n"),
        (True, ""),
    ):
        renderer(extract=True, quiet=quiet, terminal=PIPED).finish(FULL)
        assert capsys.readouterr() == ("Blue.\n", note)


def test_no_answer_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    renderer(extract=True, terminal=PIPED).finish(EMPTY)

    assert capsys.readouterr() == ("", "")


def test_an_answer_for_a_schema_is_the_receipts(capsys: pytest.CaptureFixture[str]) -> None:
    show = renderer(schema=True, terminal=PIPED)
    show.event(TextDelta('{"first": "try"'))
    show.finish(replace(EMPTY, text='{"second": "try"}'))

    assert capsys.readouterr().out == '{"second": "try"}\n'


def test_what_there_is_of_a_failed_answer_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renderer(schema=True, terminal=PIPED).fail(FAILED)
    assert capsys.readouterr().out == "Bl\n"

    renderer(schema=True, output=str(tmp_path / "a"), terminal=PIPED).fail(FAILED)
    assert (tmp_path / "a.part").read_text() == "Bl\n"
