"""The list of providers fits a terminal of 80 columns, with everything in it."""

from pathlib import Path

import pytest

from llmctl.cli import privacy
from llmctl.cli.privacy_shown import lines
from llmctl.engine.explained import explained
from llmctl.output import table
from llmctl.output.columns import cells
from llmctl.settings import Loaded, Settings
from tests.unit.output.shared import ON_TERMINAL, SCREEN


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)


def test_eighty_columns_are_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = ON_TERMINAL._replace(stdout=SCREEN._replace(width=80))
    monkeypatch.setattr(table, "detect", lambda: wide)
    monkeypatch.setenv("LLMCTL_POLICY__MAX_LEVEL", "no-training")

    privacy.list_()

    shown = capsys.readouterr().out.splitlines()
    assert "…" not in "".join(shown)
    assert max(cells(line) for line in shown[:-4]) <= 80
    [openai] = [line for line in shown if line.startswith("openai ")]
    assert openai.split()[1:5] == ["no-training", "-", "30", "no"]
    [forbidden] = [line for line in shown if line.startswith("forbidden by policy: ")]
    assert "deepseek" in forbidden
    assert "gemini (free)" in forbidden
    assert "openai" not in forbidden


def test_values_of_facts_are_words_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    known = explained("openai/gpt-6-luna", Loaded(Settings(), {}))
    assert {one["fact"]: one["value"] for one in known["facts"]}["human_review"] == "flagged"

    monkeypatch.setattr("llmctl.cli.privacy_shown._", lambda text, **_values: f"«{text}»")
    shown = "\n".join(lines(known))
    assert "«read by people»: «if flagged»" in shown
    assert "«trains on data»: «no»" in shown
