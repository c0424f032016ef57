"""The renderer of pictures."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from llmctl.errors import Filtered
from llmctl.output.aside import Aside
from llmctl.output.footer import Footer
from llmctl.output.picture_files import Album
from llmctl.output.pictures import Pictures
from llmctl.output.terminal import Terminal
from llmctl.types import Event, Finished, FinishReason, Media, Notice, Progress, Receipt, TextDelta
from llmctl.values import replace
from tests.simulator.pictures import jpeg, png
from tests.unit.output.shared import FULL, ON_TERMINAL, PIPED

DRAWN = replace(FULL, media=(Media("image/png", png(32, 16)),), error=None)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(
    *events: Event,
    terminal: Terminal = PIPED,
    quiet: bool = False,
    count: int = 1,
    receipt: Receipt = DRAWN,
    **given: Any,
) -> Pictures:
    aside = Aside(terminal, quiet=quiet)
    footer = Footer(terminal, line=not quiet, usage=False)
    show = Pictures(Album(None, count=count), aside, footer, prompt="fox", **given)
    for event in events:
        show.event(event)
    if receipt.error is None:
        show.finish(receipt)
    else:
        show.fail(receipt)
    return show


def test_a_path_a_line_and_nothing_else(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    shown(Media("image/png", png()), Media("image/jpeg", jpeg()), count=2)

    assert capsys.readouterr() == ("fox-1.png\nfox-2.jpg\n", "")
    assert (here / "fox-2.jpg").read_bytes() == jpeg()


def test_on_a_terminal_the_receipt_follows(capsys: pytest.CaptureFixture[str]) -> None:
    shown(Media("image/png", png()), terminal=ON_TERMINAL)

    told = capsys.readouterr()
    assert told.out == "fox.png\n"
    assert told.err.count("\n") == 1
    assert " · " in told.err


def test_what_the_model_says_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    said = (TextDelta("Here "), Media("image/png", png()), TextDelta("it is."))
    shown(*said)
    assert capsys.readouterr().err == "llmctl: the model says: Here it is.\n"

    shown(*said, quiet=True)
    assert capsys.readouterr().err == ""


def test_what_is_said_of_two_pictures_is_not_run_together(
    capsys: pytest.CaptureFixture[str],
) -> None:
    end = Finished(FinishReason.STOP)
    shown(
        *(TextDelta("A "), TextDelta("fox."), Media("image/png", png()), TextDelta("Enjoy!"), end),
        *(TextDelta("Another."), Media("image/png", png()), end),
        count=2,
    )

    assert capsys.readouterr().err == "llmctl: the model says: A fox. Enjoy! Another.\n"


def test_a_note_of_every_request_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    shown(Notice("x", "dropped"), Media("image/png", png()), Notice("x", "dropped"))

    assert capsys.readouterr().err == "llmctl: dropped\n"


def test_another_type_than_was_asked_for_is_told_even_quietly(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown(Media("image/jpeg", jpeg()), wanted="image/png", quiet=True)

    out, err = capsys.readouterr()
    assert out == "fox.jpg\n"
    assert "image/jpeg" in err


def test_json_has_files_in_place_of_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    shown(Progress("drawing", 0), Media("image/png", png(32, 16)), json=True)

    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["media"] == [
        {
            "media_type": "image/png",
            "data": None,
            "url": None,
            "name": "fox.png",
            "path": "fox.png",
            "bytes": len(png(32, 16)),
            "width": 32,
            "height": 16,
        }
    ]


def test_json_of_a_failure_has_what_came(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    failed = replace(DRAWN, error=Filtered("no").failure())
    shown(Media("image/png", png()), json=True, receipt=failed)

    found = json.loads(capsys.readouterr().out)
    assert found["error"]["code"] == "filtered"
    assert [one["path"] for one in found["media"]] == ["fox.png"]
    assert os.listdir(here) == ["fox.png"]
