"""The report of a job, as text; what a browser makes of it is tested in tests/e2e."""

import itertools
import random
import re
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from llmctl import messages
from llmctl.batch.shape import Ended
from llmctl.errors import AuthFailed, CutOff, Filtered, LlmctlError, RateLimited
from llmctl.output.batch_rows import row_line
from llmctl.output.report.batch import batch_page
from llmctl.output.report.batch_gathered import BatchReport, Reservoir, Top, shown
from llmctl.types import Cost, CostKind, Usage
from llmctl.values import replace
from tests.jobs import (
    GIGA,
    LUNA,
    SUMMARY,
    TINY,
    answered,
    failures,
    hostile_failures,
    hostile_rows,
    hostile_summary,
    receipt,
    rows,
)

LARGEST = 2_000_000  # bytes


@pytest.fixture(autouse=True)
def _language(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    lookup = messages.lookup
    lookup.cache_clear()
    yield
    lookup.cache_clear()


class Page(HTMLParser):
    """The names of the elements, and the cells of all rows of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._in_cell = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_cell:
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        return next(row for row in self.rows if row and row[0] == first)


def page() -> Page:
    return Page(batch_page(SUMMARY, rows(), failures()))


# ---- what stands in it -------------------------------------------------------------------------


def test_outcomes_and_causes_are_counted() -> None:
    """300 of 305 are 98.36 %, three 0.98 %, two 0.66 %."""
    found = page()

    assert found.row("answered")[1:3] == ["300", "98.4\u00a0%"]
    assert found.row("filtered")[1:3] == ["3", "1\u00a0%"]
    assert "llmctl batch retry answers/out.jsonl --cause filtered" in found.row("filtered")[3]
    assert found.row("rate limited (rate-limited)")[1:3] == ["2", "0.7\u00a0%"]


def test_each_model_has_its_tokens_and_its_money() -> None:
    """Each third row is GigaChat's: 100, of which each tenth is a copy that cost nothing more, so
    90 at 0.10 RUB; 200 of the other at 0.001 USD, and 5 failures whose tokens count, too."""
    found = page()
    luna = next(row for row in found.rows if row and row[0].endswith(LUNA) and len(row) == 9)
    giga = next(row for row in found.rows if row and row[0].endswith(GIGA) and len(row) == 9)

    assert luna[1:4] == ["200", "5", "20,500"]
    assert luna[5:7] == ["0.20\u00a0USD", "0"]
    assert giga[1:4] == ["100", "0", "9,000"]
    assert giga[5] == "9.00\u00a0RUB"


def test_what_is_unknown_is_a_dash_and_what_is_known_in_part_a_least() -> None:
    bare = replace(receipt(TINY, 1, "x", 0.5, Cost()), usage=Usage())
    ended = replace(answered(1, random.Random(1)), receipt=bare)
    priced = replace(ended, receipt=replace(bare, cost=Cost("0.5", "USD", CostKind.REPORTED)))

    unknown = Page(batch_page(SUMMARY, [row_line(ended)], ()))
    partly = Page(batch_page(SUMMARY, [row_line(ended), row_line(priced)], ()))

    row = next(row for row in unknown.rows if row and row[0].endswith(TINY) and len(row) == 9)
    assert row[3:7] == ["–", "–", "–", "1"]
    row = next(row for row in partly.rows if row and row[0].endswith(TINY) and len(row) == 9)
    assert row[5:7] == ["≥ 0.50\u00a0USD", "1"]


def test_a_changed_output_is_told() -> None:
    text = batch_page(SUMMARY, list(rows())[:-1], failures())

    assert "The output has 299 rows, the journal 300" in text
    assert "The output has" not in batch_page(SUMMARY, rows(), failures())


def test_an_empty_job_has_a_page() -> None:
    empty = replace(SUMMARY, rows=0, done=0, failed=0, waiting=0, causes={}, ended=0)
    text = batch_page(empty, (), ())

    assert "Rows answered: 0 of 0" in text
    assert "Models" not in text


def test_a_job_of_failures_only_has_a_page() -> None:
    text = batch_page(replace(SUMMARY, done=0), (), failures())

    assert "blocked by the content filter" in text
    assert "A look at the answers" not in text


def test_the_same_files_make_the_same_page() -> None:
    assert batch_page(SUMMARY, rows(), failures()) == batch_page(SUMMARY, rows(), failures())


# ---- what is hostile ---------------------------------------------------------------------------


def test_hostile_rows_stay_text() -> None:
    text = batch_page(hostile_summary(), hostile_rows(), hostile_failures())
    found = Page(text)

    assert text.encode()  # no half of a character
    assert found.tags.count("script") == found.tags.count("style") == 1
    assert not {"img", "b onclick", "iframe", "a"} & set(found.tags)
    body = text.partition("<body>")[2].partition("<script>")[0]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", body)
    assert len(text.encode()) < LARGEST


def test_no_number_of_models_causes_or_currencies_makes_the_page_large() -> None:
    report = BatchReport().read(hostile_rows(2000, 1)).read(hostile_failures(2000, 1), failed=True)

    assert len(report.models) == 51
    assert report.models[""].answered > 1500
    assert len(report.causes) == 31
    assert len(report.dearest) == 5
    assert sum(report.causes.values()) == 2000


def test_lines_that_are_no_rows_are_counted() -> None:
    report = BatchReport().read([b"\xff\n", b"[1]\n", None, next(rows())])

    assert (report.unreadable, report.answered) == (3, 1)


def test_memory_does_not_grow_with_the_rows() -> None:
    some = list(rows())

    def most(count: int) -> int:
        tracemalloc.start()
        BatchReport().read(itertools.islice(itertools.cycle(some), count))
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    few = most(1_600)
    assert most(6_000) < few + 200_000


# ---- samples -----------------------------------------------------------------------------------


def test_each_has_an_equal_chance_to_be_drawn() -> None:
    """Of 40, 10 are kept 4,000 times: each 1,000 times, with a deviation of 27.4 (binomial); five
    deviations are passed by chance once in 40,000 runs, and the seed is fixed."""
    chance = random.Random(3)
    times = [0] * 40
    for _run in range(4_000):
        drawn: Reservoir[int] = Reservoir(10, chance)
        for number in range(40):
            drawn.add(lambda number=number: number)  # type: ignore[misc]
        for number in drawn.kept:
            times[number] += 1

    assert sum(times) == 40_000
    assert all(abs(count - 1000) < 5 * 27.4 for count in times)


def test_the_greatest_are_kept_in_order_and_of_equals_the_earlier() -> None:
    one = shown({"row": {"id": "a"}})
    top = Top(3)
    for at, value in enumerate((1.0, 5.0, 3.0, 5.0, 2.0, 3.0)):
        top.add(value, lambda at=at: replace(one, line=at))  # type: ignore[misc]

    assert [row.line for row in top.rows] == [1, 3, 2]


def test_copies_cost_nothing_again_and_are_in_no_time() -> None:
    ended = answered(30, random.Random(1))
    assert ended.same_as is not None

    report = BatchReport().read([row_line(ended)])

    assert report.models[GIGA].costs == {}
    assert report.models[GIGA].copied == report.copied == 1
    assert report.slowest.rows == []
    cached = replace(ended, same_as=None, cached=True)
    assert BatchReport().read([row_line(cached)]).copied == 1


def test_sums_of_money_are_exact() -> None:
    cost = Cost("0.1", "USD", CostKind.COMPUTED)
    line = row_line(replace(answered(1, random.Random(1)), receipt=receipt(LUNA, 1, "", 1, cost)))

    assert BatchReport().read([line] * 3).models[LUNA].costs == {"USD": Decimal("0.3")}


@pytest.mark.parametrize(
    ("error", "owed"),
    [
        (CutOff("the answer was cut off"), 1),
        (Filtered("refused"), 1),
        (AuthFailed("no such key", status=401), 0),
        (RateLimited("too many", status=429), 0),
    ],
)
def test_a_failure_counts_as_unpriced_where_it_may_be_on_the_bill(
    error: LlmctlError, owed: int
) -> None:
    text = "the beginning" if owed else ""
    answer = receipt(GIGA, 1, text, 0.5, Cost(why="no-answer"))
    failed = replace(answer, error=error.failure(), attempts=1)
    report = BatchReport().read([row_line(Ended(line=1, id="1", receipt=failed))], failed=True)

    assert sum(one.unpriced for one in report.models.values()) == owed
