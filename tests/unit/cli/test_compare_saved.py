"""Comparisons that are kept: how much of them, and what can be done with them."""

import json
from pathlib import Path

import pytest

from llmctl import settings
from llmctl.cli.compare_asked import CompareAsked
from llmctl.cli.compare_saved import figures, found_again, look, save
from llmctl.cli.kept import open_ledger
from llmctl.compare.shape import Case, Comparison, Ruling
from llmctl.errors import NotFound, UsageError
from llmctl.output.terminal import Terminal
from llmctl.store.compares import Kept
from llmctl.types import Chat, Role, message
from llmctl.values import replace
from tests.comparisons import PROMPT, sample


@pytest.fixture(autouse=True)
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))


MADE = replace(sample(), asked={"models": ["local/a", "openai/b"], "repeat": 5, "prompt": PROMPT})


def saved(made: Comparison = MADE, **flags: object) -> None:
    asked = CompareAsked(**flags)  # type: ignore[arg-type]  # as the command line has them
    save(made, asked, settings.load(asked.settings_flags(), asked.profile, asked.spelt()))


def test_the_flags_of_then_and_those_of_now() -> None:
    saved()

    asked, cases = found_again(CompareAsked(rerun="last", repeat=20, quiet=True))

    assert (asked.models, asked.repeat, asked.prompt) == (["local/a", "openai/b"], 20, PROMPT)
    assert asked.quiet
    assert asked.rerun is None
    assert cases == MADE.cases


def test_shown_again_it_is_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    saved()

    look(CompareAsked(show=MADE.id[:6], json=True), Terminal())

    told = json.loads(capfd.readouterr().out)
    assert told["id"] == MADE.id
    assert [one["text"] for one in told["runs"]] == [one.receipt.text for one in MADE.trials]


def test_numbers_alone_cannot_be_done_again(capfd: pytest.CaptureFixture[str]) -> None:
    saved(log="meta")

    with pytest.raises(UsageError, match="--log meta"):
        found_again(CompareAsked(rerun="last"))
    look(CompareAsked(show="last", json=True), Terminal())
    told = json.loads(capfd.readouterr().out)
    assert PROMPT not in json.dumps(told, ensure_ascii=False)
    assert [one["runs"] for one in told["summary"]] == [
        sum(trial.candidate == place for trial in MADE.measured)
        for place in range(len(MADE.candidates))
    ]


def test_what_was_redacted_cannot_be_done_again() -> None:
    asked = CompareAsked()
    save(replace(MADE, redacted=True), asked, settings.load())

    with pytest.raises(UsageError, match="redacted"):
        found_again(CompareAsked(rerun="last"))


def test_nothing_is_kept_where_nothing_is_to_be() -> None:
    saved(no_log=True)

    with open_ledger() as ledger:
        assert ledger.comparisons() == ()
    with pytest.raises(NotFound):
        found_again(CompareAsked(rerun="last"))


def test_the_list(capfd: pytest.CaptureFixture[str]) -> None:
    look(CompareAsked(list_=True), Terminal())
    assert capfd.readouterr().err == "No comparison is kept yet.\n"
    saved()

    look(CompareAsked(list_=True), Terminal())
    head, row = capfd.readouterr().out.splitlines()
    assert head.split()[0] == "id"
    assert row.startswith(MADE.id)

    look(CompareAsked(list_=True, json=True), Terminal())
    (one,) = json.loads(capfd.readouterr().out)["comparisons"]
    assert one["models"] == [candidate.name for candidate in MADE.candidates]
    assert one["runs"] == len(MADE.measured)


def test_what_a_list_shows() -> None:
    told = figures(MADE)

    assert told["failed"] == sum(one.receipt.error is not None for one in MADE.measured)
    assert told["passed"] == sum(one.passed for one in MADE.measured)
    assert {one["currency"] for one in told["spent"]} == {"RUB", "USD"}
    assert figures(replace(MADE, checks=()))["passed"] is None


def exit_code(made: Comparison) -> object:
    return figures(made)["exit_code"]


def test_a_list_has_what_a_script_was_told() -> None:
    """One model is always wrong, one was cut off once, a row was left out."""
    whole = replace(
        MADE, trials=tuple(one for one in MADE.trials if one.succeeded), skipped=(), checks=()
    )

    assert exit_code(MADE) == 17  # --min-pass 80 %
    assert exit_code(replace(MADE, min_pass=None)) == 15
    assert exit_code(replace(whole, min_pass=None)) == 0
    # By which signal is not kept.
    assert exit_code(replace(whole, complete=False, min_pass=None)) is None


def test_one_that_was_kept_without_an_exit_code_is_listed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    figures_then = {name: one for name, one in figures(MADE).items() if name != "exit_code"}
    with open_ledger() as ledger:
        ledger.record_comparison(
            Kept(id=MADE.id, started_at=MADE.started_at, figures=figures_then, document={})
        )

    look(CompareAsked(list_=True, json=True), Terminal())

    (one,) = json.loads(capfd.readouterr().out)["comparisons"]
    assert one["exit_code"] is None
    assert one["runs"] == len(MADE.measured)


# ---- the list, elsewhere than on the screen


def test_the_list_goes_where_it_is_to_go(tmp_path: Path) -> None:
    saved()

    for name in ("list.txt", "list.json"):
        look(CompareAsked(list_=True, output=str(tmp_path / name)), Terminal())

    assert MADE.id in (tmp_path / "list.txt").read_text().splitlines()[1]
    (one,) = json.loads((tmp_path / "list.json").read_text())["comparisons"]
    assert one["id"] == MADE.id


def test_the_list_has_as_many_as_are_wanted(capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(25):
        saved(replace(MADE, id=f"c{number:02}"))

    def listed(**flags: int) -> list[str]:
        look(CompareAsked(list_=True, json=True, **flags), Terminal())  # type: ignore[arg-type]
        return [one["id"] for one in json.loads(capfd.readouterr().out)["comparisons"]]

    assert listed(limit=2) == ["c24", "c23"]
    assert len(listed()) == 20
    assert len(listed(limit=100)) == 25


def test_the_list_is_no_report() -> None:
    for flags in ({"format": "html"}, {"output": "list.csv"}):
        with pytest.raises(UsageError, match="--list is a table or JSON"):
            look(CompareAsked(list_=True, **flags), Terminal())  # type: ignore[arg-type]


# ---- what else is kept


def test_a_run_of_the_judge_takes_the_comparison_with_it() -> None:
    answer = replace(MADE.trials[0].receipt, id="judge-1")
    ruling = Ruling(case=0, repeat=1, first=0, second=1, receipts=(answer,))
    saved(replace(MADE, rulings=(ruling,)))

    with open_ledger() as ledger:
        ledger.record(answer, Chat("m", (message(Role.USER, "which is better?"),)))
        ledger.purge(id="judge-1")
        assert ledger.comparisons() == ()


def test_trouble_is_one_line(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "DATA" / "ledger.db").mkdir(parents=True)

    saved()
    assert capfd.readouterr().err.startswith("llmctl: the ledger keeps no record of this")
    saved(quiet=True)
    assert capfd.readouterr().err == ""


# ---- once more, but otherwise


def rows() -> Comparison:
    asked = {"models": ["a/b"], "prompts": "cases.csv", "prompt": "In one word.", "template": "t"}
    cases = tuple(
        Case(id=f"row-{line}", line=line, text=text, expected=answer,
             columns={"id": f"row-{line}", "prompt": text, "english": f"{text} (en)",
                      "answer": answer})
        for line, text, answer in ((2, "Столица Перу?", "Лима"), (3, "Столица Чили?", "Сантьяго"))
    )  # fmt: skip
    trials = tuple(replace(one, case=0) for one in MADE.trials[:2])
    return replace(MADE, asked=asked, cases=cases, trials=trials)


def test_another_prompt_takes_the_place_of_the_one_then() -> None:
    columns = {"input": "a letter", "prompt": "Sum up"}
    case = Case(id="1", text="a letter\n\nSum up", columns=columns)
    saved(replace(MADE, cases=(case,), asked={"models": ["a/b"], "prompt": "Sum up"}))

    asked, cases = found_again(CompareAsked(rerun="last", prompt="Translate"))

    assert asked.prompt == "Translate"
    assert cases is not None
    (again,) = cases
    assert again.text == "a letter\n\nTranslate"
    assert again.columns == {"input": "a letter", "prompt": "Translate"}


def test_rows_are_those_of_then_with_the_columns_and_the_number_of_now() -> None:
    saved(rows())

    asked, cases = found_again(CompareAsked(rerun="last", column="english", expected="answer"))
    assert cases is not None
    assert [(one.id, one.line, one.text, one.expected) for one in cases] == [
        ("row-2", 2, "Столица Перу? (en)", "Лима"),
        ("row-3", 3, "Столица Чили? (en)", "Сантьяго"),
    ]
    assert (asked.prompt, asked.template) == ("In one word.", "t")

    _asked, cases = found_again(CompareAsked(rerun="last", limit=1))
    assert cases == rows().cases[:1]
    with pytest.raises(UsageError, match="line 2: the row has no nonsense"):
        found_again(CompareAsked(rerun="last", expected="nonsense"))


def test_other_rows_are_read_anew() -> None:
    saved()

    asked, cases = found_again(CompareAsked(rerun="last", prompts="other.csv"))
    assert cases is None
    assert (asked.prompts, asked.prompt) == ("other.csv", None)

    saved(replace(rows(), id="c2"))
    asked, cases = found_again(CompareAsked(rerun="last", prompts="other.csv"))
    assert cases is None
    assert (asked.prompts, asked.prompt) == ("other.csv", "In one word.")


def test_variants_take_the_place_of_a_template_and_the_other_way_round() -> None:
    saved(rows())
    asked, _cases = found_again(CompareAsked(rerun="last", variant=["short", "long"]))
    assert (asked.template, asked.variant) == (None, ["short", "long"])

    saved(replace(rows(), id="c2", asked={"models": ["a/b"], "variant": ["short"]}))
    asked, _cases = found_again(CompareAsked(rerun="last", template="t"))
    assert (asked.template, asked.variant) == ("t", None)


def test_flags_that_do_not_go_with_those_of_then_are_refused() -> None:
    saved()

    with pytest.raises(UsageError, match="--limit is about rows"):
        found_again(CompareAsked(rerun="last", limit=2))
