"""The report of a comparison, as text; what a browser makes of it is tested in tests/e2e."""

import re
import time
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from llmctl import messages
from llmctl.compare.figures import Advice, Line, Metric, Pair, Summary
from llmctl.compare.shape import Candidate, Case, Comparison, Ruling
from llmctl.cost.money import Money
from llmctl.output.report.compare import LARGEST, compare_html
from llmctl.types import Cost, Failure, Level
from llmctl.values import replace
from tests.comparisons import (
    HOSTILE,
    ID,
    Rates,
    candidate,
    hostile,
    many,
    sample,
    summary,
    verdict,
)


@pytest.fixture(autouse=True)
def _language(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    lookup = messages.lookup  # a test may put another in its place
    lookup.cache_clear()
    yield
    lookup.cache_clear()


class Page(HTMLParser):
    """Elements in order, and the text of sections by their heading."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.sections: dict[str, str] = {"": ""}
        self.rows: list[list[str]] = []
        self._heading = ""
        self._at = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._at = tag
        if tag == "h2":
            self._heading = ""
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "h2":
            self._at = ""
        if tag == "table":
            self.rows.append([])

    def handle_data(self, data: str) -> None:
        if self._at in ("style", "script"):
            return
        if self._at == "h2":
            self._heading += data
            self.sections.setdefault(self._heading, "")
            return
        self.sections[self._heading] += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def shown(comparison: Comparison, worked_out: Summary | None = None) -> Page:
    return Page(compare_html(comparison, worked_out or summary(comparison)))


def row(page: Page, number: int) -> list[str]:
    """The row of a candidate in the table of all figures, which is the first one."""
    return page.rows[number]


def two(*pairs: Pair, **facts: object) -> tuple[Comparison, Summary]:
    """A comparison of two models of which nothing was run, and what is said of the pair."""
    models = (candidate("a/one", verdict(Level.DEVICE)), candidate("b/two", verdict(Level.DEVICE)))
    comparison = Comparison(id=ID, started_at="2026-11-25T12:03:04Z", seed=1, candidates=models)
    lines = (Line(candidate=0), Line(candidate=1))
    return comparison, Summary(lines=lines, pairs=pairs, **facts)  # type: ignore[arg-type]


def pair(metric: Metric, **facts: object) -> Pair:
    return Pair(first=0, second=1, metric=metric, count=5, **facts)  # type: ignore[arg-type]


# ---- the head ----------------------------------------------------------------------------------


def test_the_recommendation_and_its_reasons_come_first() -> None:
    head = shown(sample()).sections[""]

    assert head.index("Recommended: gigachat/GigaChat-2") < head.index("It passed every check")
    assert "2026-11-25 12:03 UTC" in head
    assert "Столица Австралии?" in head
    assert "Runs that gave no whole answer: 1 of 25" in head


def test_what_fits_nothing_is_said_with_what_is_nearest() -> None:
    made = sample()
    advice = Advice(wanted="cost<0", nearest=2, misses=("cost is 0.000019 USD",),
                    excluded={0: "it failed"})  # fmt: skip
    head = shown(made, replace(summary(made), advice=advice)).sections[""]

    assert "No model fits what was asked for" in head
    assert "Asked for: cost<0" in head
    assert re.search(r"Nearest: 3\s*openai/gpt-6-luna", head)
    assert "cost is 0.000019 USD" in head
    assert re.search(r"1\s*local/smollm2-135m: it failed", head)


def test_without_an_advice_nothing_is_recommended() -> None:
    head = shown(sample(), summary(sample(), chosen=None)).sections[""]

    assert "Models compared: 6" in head
    assert "Recommended" not in head


def test_an_interrupted_comparison_says_so() -> None:
    made = replace(sample(), complete=False, planned=99)

    assert "Interrupted: 30 of 99 runs were made." in shown(made).sections[""]


# ---- the table ---------------------------------------------------------------------------------


def test_the_table_has_a_line_for_each_candidate_the_refused_one_included() -> None:
    page = shown(sample())

    assert row(page, 0)[:3] == ["Model", "Checks", "Failures"]
    luna, yandex, refused = row(page, 3), row(page, 5), row(page, 6)
    assert luna[1] == "100\u00a0%5 of 5"
    assert luna[9:13] == ["no-training", "US", "30 days", "closed"]
    assert "0.000019\u00a0USD0.019\u00a0USD for 1,000" in luna
    assert yandex[1:3] == ["80\u00a0%4 of 5", "1 of 5cut off: 1"]
    assert refused[1:9] == ["–"] * 8
    assert "may-train" in refused


def test_costs_are_sorted_by_currency_or_by_the_common_one() -> None:
    """0.0000186 USD are 0.00186 RUB at 100 roubles a dollar."""
    apart = compare_html(sample(), summary(sample()))
    common = compare_html(sample(), summary(sample(), rates=Rates()))

    assert 'data-v="1.86e-05" data-g="USD"' in apart
    assert 'data-v="0.00186" data-g="RUB"' in common
    assert "≈ 0.0019 RUB" in common


def test_what_is_unknown_has_nothing_to_be_sorted_by() -> None:
    comparison, worked_out = two()
    made = compare_html(comparison, worked_out)

    assert '<td class="number"><span class="unknown" title="unknown">–</span></td>' in made


def test_columns_of_what_was_not_asked_for_are_left_out() -> None:
    comparison, worked_out = two()
    head = row(shown(comparison, worked_out), 0)

    assert not {"Checks", "Judge", "Licence", "Memory"} & set(head)


# ---- charts and pairs --------------------------------------------------------------------------


def test_currencies_have_charts_of_their_own_until_there_is_a_rate() -> None:
    apart, common = shown(sample()), shown(sample(), summary(sample(), rates=Rates()))

    assert "Cost and time, USD" in apart.sections["At a glance"]
    assert "Cost and time, RUB" in apart.sections["At a glance"]
    assert "In another currency" in apart.sections["At a glance"]
    assert "In another currency" not in common.sections["At a glance"]
    assert "Cost, " not in common.sections["At a glance"]


def test_an_unknown_cost_is_named_and_not_drawn() -> None:
    made = sample()
    trials = tuple(
        replace(one, receipt=replace(one.receipt, cost=Cost()))
        if one.candidate == 2 else one
        for one in made.trials
    )  # fmt: skip
    glance = shown(replace(made, trials=trials)).sections["At a glance"]

    assert re.search(r"Not shown, since the cost is unknown: 3\s*openai/gpt-6-luna", glance)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # Twice as slow is the first one's favour; a quarter of the time the second one's.
        (pair(Metric.TOTAL, ratio=2.0, low=1.6, high=2.5, clear=True, better=0),
         "1 2 × faster(1.6 … 2.5)"),
        (pair(Metric.TOTAL, ratio=0.25, low=0.2, high=0.5, clear=True, better=1),
         "2 4 × faster(2 … 5)"),
        (pair(Metric.COST, ratio=3.0, low=3.0, high=3.0, clear=True, better=0), "1 3 × cheaper"),
        (pair(Metric.COST, clear=True, better=1), "2 free"),
        (pair(Metric.SPEED, ratio=1.5, clear=True, better=1), "2 1.5 × as many"),
        (pair(Metric.QUALITY, ratio=-0.2, clear=True, better=0), "1 20 points more"),
        (pair(Metric.TTFT, ratio=1.1, smallest=1.42),
         "no clear differenceless than 1.42 × would not have shown"),
        (pair(Metric.JUDGED, ratio=0.1, smallest=0.3),
         "no clear differenceless than 30 points would not have shown"),
        (pair(Metric.TTFT, ratio=1.1), "no clear differencetoo few runs to say more"),
        (pair(Metric.COST, ratio=1.0, smallest=1.0), "no difference"),
        (Pair(first=0, second=1, metric=Metric.COST), "–"),
    ],
)  # fmt: skip
def test_a_pair_says_who_is_better_or_what_would_have_shown(given: Pair, expected: str) -> None:
    page = shown(*two(given))
    [cells] = [one for one in page.rows if one and one[0].startswith("1 a/one2 b/two")]

    assert cells[1] == expected


def test_two_that_cost_nothing_are_both_free() -> None:
    comparison, worked_out = two(pair(Metric.COST))
    free = tuple(replace(one, cost=Money(Decimal(0), "USD")) for one in worked_out.lines)
    page = shown(comparison, replace(worked_out, lines=free))
    [cells] = [one for one in page.rows if one and one[0].startswith("1 a/one2 b/two")]

    assert cells[1] == "both free"


def test_the_front_and_those_beaten_are_named() -> None:
    front = shown(sample()).sections["The front"]

    assert "0.0059\u00a0RUB" in front
    assert re.search(r"Beaten in everything by another: 2\s*ollama/qwen3:0.6b", front)


def test_refused_candidates_stand_with_their_reasons() -> None:
    refused = shown(sample()).sections["Refused"]

    assert "deepseek/deepseek-chat processes prompts in CN" in refused
    assert "the region CN is not RU or US" in refused


# ---- answers -----------------------------------------------------------------------------------


def test_answers_are_marked_against_the_recommended_one() -> None:
    made = compare_html(sample(), summary(sample()))

    assert made.count('class="answer base"') == 5  # one in each repeat
    assert "является <mark>Мельбурн</mark>." in made
    assert made.count('<details class="repeat">') == 4


def test_answers_may_be_marked_against_any_other() -> None:
    made = compare_html(sample(), summary(sample()), base=0)
    first = made[made.index('class="answer base"') :][:300]

    assert "local/" in first


def test_what_failed_is_marked_as_such() -> None:
    made = compare_html(sample(), summary(sample()))

    assert made.count('class="answer failed"') == 1
    assert "<b>cut off</b> <bdi>the stream ended before its end mark</bdi>" in made


def test_without_texts_there_are_no_answers_and_no_prompt() -> None:
    made = replace(sample(), texts=False)
    page = shown(made)

    assert "were not kept" in page.sections["Answers"]
    assert "cut off" in page.sections["Answers"]
    assert "Столица" not in "".join(page.sections.values())


def test_a_very_long_answer_is_cut_and_the_rest_counted() -> None:
    made = sample(1)
    trials = tuple(
        replace(one, receipt=replace(one.receipt, text="слово " * 100_000)) for one in made.trials
    )
    text = compare_html(replace(made, trials=trials), summary(made))

    assert "and 588000 more characters" in text
    assert len(text.encode()) < LARGEST


# ---- the rest ----------------------------------------------------------------------------------


def test_rulings_are_counted_and_listed() -> None:
    lost = Failure(code="provider-error", exit_code=10, message="no verdict")
    made = replace(sample(), judge="openai/gpt-6-sol", rulings=(
        Ruling(case=0, repeat=1, first=0, second=2, winner=2, why="it is right"),
        Ruling(case=0, repeat=2, first=0, second=2),
        Ruling(case=0, repeat=3, first=0, second=2, error=lost),
    ))  # fmt: skip
    rulings = shown(made).sections["The judge's rulings"]

    assert "Rulings: 3, draws: 1, unusable: 1. The judge, openai/gpt-6-sol," in rulings
    assert re.search(r"3\s*openai/gpt-6-luna: wins 1", rulings)
    for piece in ("it is right", "a draw", "no verdict"):
        assert piece in rulings


def test_how_it_was_measured_is_said() -> None:
    measured = shown(sample()).sections["How it was measured"]

    for piece in ("seed 20261125", "25, and 5 to warm up", "contains=Канберра", "80\u00a0%",
                  f"llmctl compare --show {ID}", "https://example.org/prices, 2026-11-20",
                  "checked 2026-11-23", "0.020 s"):  # fmt: skip
        assert piece in measured
    assert "line 7: no prompt in this row" in shown(sample()).sections["Rows that were skipped"]


def test_a_comparison_of_which_nothing_is_left_is_shown_all_the_same() -> None:
    refused = Candidate(
        name="a/b", model="a/b", refused=Failure(code="x", exit_code=4, message="y")
    )
    empty = Comparison(id=ID, started_at="", seed=0, candidates=(refused,))

    page = shown(empty, Summary(lines=()))

    assert re.search(r"1\s*a/b: y", page.sections["Refused"])


def test_what_was_spent_stands_by_currency() -> None:
    comparison, worked_out = two(spent=(Money(Decimal("1.5"), "RUB"), Money(Decimal(2), "USD")))

    assert "1.50\u00a0RUB + 2.00\u00a0USD" in shown(comparison, worked_out).sections[
        "How it was measured"]  # fmt: skip


def test_texts_go_through_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text that is there but names, figures and codes: with a catalogue that knows none of
    them, what stays readable never went through it."""
    monkeypatch.setattr(messages, "lookup", lambda: lambda text: re.sub(
        r"[A-Za-z](?![^{]*\})", "¤", text))  # fmt: skip
    comparison, worked_out = two(pair(Metric.TOTAL, ratio=1.2, smallest=1.5))
    made = Page(compare_html(comparison, worked_out))
    words = set(re.findall(r"[A-Za-z]{3,}", " ".join(made.sections.values())))

    assert words <= {"one", "two", "device", "UTC", "llmctl", "compare", "show"}  # fmt: skip


def test_the_report_is_in_the_language_of_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "ru")
    messages.lookup.cache_clear()
    made = compare_html(sample(), summary(sample()))
    page = Page(made)

    assert '<html lang="ru">' in made
    assert "Рекомендуем: gigachat/GigaChat-2" in page.sections[""]
    assert {"Все показатели", "Ответы", "Как измеряли"} <= set(page.sections)
    assert row(page, 0)[:3] == ["Модель", "Проверки", "Сбои"]


# ---- what is hostile, and what is much ---------------------------------------------------------


def test_what_is_hostile_adds_no_element_and_no_attribute() -> None:
    harmless = shown(sample(2))
    page = shown(hostile())
    names = {name for name, _values in harmless.tags} | {"b", "code"}
    keys = {key for _name, values in harmless.tags for key in values}

    assert {name for name, _values in page.tags} <= names
    assert {key for _name, values in page.tags for key in values} <= keys
    assert [name for name, _values in page.tags].count("script") == 1
    for text in HOSTILE[:6]:
        assert text.splitlines()[0] in page.sections["Answers"]
    whole = "".join(page.sections.values())
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", whole
    )


@pytest.mark.parametrize(("cases", "repeat"), [(250, 1), (5, 50), (1, 250)])
def test_a_thousand_runs_are_written_whole_quickly_and_small(cases: int, repeat: int) -> None:
    made = many(cases=cases, repeat=repeat)
    worked_out = summary(made)
    started = time.process_time()

    text = compare_html(made, worked_out)

    assert time.process_time() - started < 2.0
    assert len(text.encode()) < 2_000_000
    assert text.count("<article") == 1000
    assert "left out" not in text


def test_what_has_no_room_is_counted_and_said_where_it_is() -> None:
    made = many(cases=200, repeat=2, letters=1200)
    text = compare_html(made, summary(made))
    articles = text.count("<article")

    assert 200 < articles < 1600
    assert len(text.encode()) < 2_000_000
    assert f"Answers left out here to keep this file small: {1600 - articles} of 1600" in text
    assert f"llmctl compare --show {ID} --format jsonl" in text


def test_prompts_count_as_much_as_answers() -> None:
    made = many(cases=500, letters=10)
    cases = tuple(Case(id=str(at), text="д" * 4000) for at in range(500))

    assert len(compare_html(replace(made, cases=cases), summary(made)).encode()) < 2_000_000


def test_answers_of_controls_do_not_push_the_others_out() -> None:
    """Each of theirs takes 14 bytes here, and would take 168 kB."""
    made = sample()
    hostile = [replace(made.trials[0], candidate=place, repeat=1,
                       receipt=replace(made.trials[0].receipt, text="\u202e" * 12_000))
               for place in range(14)]  # fmt: skip
    honest = replace(made.trials[0], candidate=14, repeat=1,
                     receipt=replace(made.trials[0].receipt, text="An honest answer."))  # fmt: skip
    candidates = tuple(replace(made.candidates[0], name=f"m{n}") for n in range(15))
    made = replace(made, candidates=candidates, trials=(*hostile, honest), rulings=())

    page = compare_html(made, summary(made))

    assert "An honest answer." in page
    assert page.count("<article") == 15
    assert len(page.encode()) < 2_000_000
