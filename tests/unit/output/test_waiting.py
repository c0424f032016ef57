"""What takes long says so once, on a terminal."""

import threading
from typing import Any

import pytest

from llmctl.output import streams
from llmctl.output.terminal import Terminal
from llmctl.output.waiting import told_if_long
from tests.unit.output.shared import ON_TERMINAL, PIPED


def test_what_takes_long_is_told_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Event()
    lines: list[str] = []

    def keep(text: str) -> None:
        lines.append(text)
        told.set()

    monkeypatch.setattr(streams, "err", keep)
    with told_if_long("Searching", terminal=ON_TERMINAL, seconds=0.01):
        assert told.wait(5)

    assert lines == ["llmctl: Searching\n"]


@pytest.mark.parametrize(
    ("terminal", "how"),
    [(ON_TERMINAL, {"quiet": True}), (PIPED, {}), (ON_TERMINAL, {"seconds": 60})],
    ids=["quiet", "no terminal", "in time"],
)
def test_else_nothing_is_told_and_nothing_is_left_waiting(
    terminal: Terminal, how: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    before = threading.active_count()
    with told_if_long("Searching", terminal=terminal, **{"seconds": 0.0, **how}):
        pass

    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(5)
    assert capsys.readouterr().err == ""
    assert threading.active_count() == before
