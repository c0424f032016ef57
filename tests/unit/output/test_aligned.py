"""Columns for people at a terminal."""

from llmctl.output.aligned import Aligned, aligned
from llmctl.types import Event, Notice, Receipt, TextDelta


def test_tabs_become_columns_and_the_last_one_stays_as_it_is() -> None:
    text = "0.9\tcapital\tParis.\n0.05\tcat\tCats.\n"

    assert aligned(text) == "0.9   capital  Paris.\n0.05  cat      Cats.\n"


def test_wide_characters_take_two_cells() -> None:
    assert aligned("首都\tx\nab\ty\n") == "首都  x\nab    y\n"


class Shown:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ends: list[str] = []

    def event(self, event: Event) -> None:
        self.events.append(event)

    def finish(self, receipt: Receipt) -> None:
        self.ends.append("finish")

    def fail(self, receipt: Receipt) -> None:
        self.ends.append("fail")


def test_text_is_shown_at_the_end_and_notes_at_once() -> None:
    for end in ("finish", "fail"):
        shown = Shown()
        show = Aligned(shown)
        note = Notice("loading", "wait")

        show.event(TextDelta("1\ta\n"))
        show.event(note)
        show.event(TextDelta("10\tb\n"))
        assert shown.events == [note]
        getattr(show, end)(None)

        assert shown.events == [note, TextDelta("1   a\n10  b\n")]
        assert shown.ends == [end]
