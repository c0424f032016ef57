"""What a comparison hears while it runs, and what of it may be kept."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.cli.compare_asked import CompareAsked
from llmctl.cli.compare_clearing import Clearing
from llmctl.cli.compare_session import Session
from llmctl.cli.kept import open_ledger
from llmctl.compare.plan import Planned
from llmctl.compare.running import Entrant, Left
from llmctl.compare.shape import Candidate, Case, Comparison, Mark, Ruling, Skipped, Trial
from llmctl.engine.resolve import resolve
from llmctl.types import Chat, Event, Failure, Notice, Receipt, Role, TextDelta, message
from llmctl.values import replace

MAIL = "anna@example.org"
CASES = (
    Case(id="1", text=f"Write to {MAIL}", expected=MAIL, columns={"prompt": f"Write to {MAIL}"}),
    Case(id="2", text="Why?", expected="so", columns={"prompt": "Why?"}),
)
REFUSED = Failure("privacy-refused", 4, "the prompt holds a key")
STOPPED = Failure("interrupted", 130, "interrupted")


class View:
    """Writes down what it is shown."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def __enter__(self) -> "View":
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def began(self, planned: Planned) -> None:
        self.seen.append(planned)

    def event(self, _planned: Planned, event: Event) -> None:
        self.seen.append(event)

    def ended(self, trial: Trial) -> None:
        self.seen.append(trial)

    def judging(self, done: int, total: int) -> None:
        self.seen.append((done, total))


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    return tmp_path


def session(**flags: Any) -> Session:
    asked = CompareAsked(**flags)
    return Session(asked, settings.load(asked.settings_flags(), None, asked.spelt()), View())


def receipt(text: str = "answer", error: Failure | None = None, number: int = 1) -> Receipt:
    return Receipt(id=f"r{number}", started_at="2026-11-25T10:00:00Z", requested="openai/m",
                   provider="openai", text=text, error=error, attempts=1)  # fmt: skip


def trial(case: int, candidate: int = 0, *, text: str = "answer", error: Failure | None = None,
          marks: tuple[Mark, ...] = ()) -> Trial:  # fmt: skip
    return Trial(
        candidate=candidate, case=case, repeat=1, receipt=receipt(text, error), marks=marks
    )


def left(text: str, said: str, *, redacted: bool = True) -> Left:
    call = Chat(model="m", messages=(message(Role.SYSTEM, "s"), message(Role.USER, text)))
    return Left(call=call, receipt=receipt(said), redacted=redacted)


def comparison(one: Session, cases: tuple[Case, ...] = CASES) -> Comparison:
    return Comparison(
        id="c1", started_at="2026-11-25T10:00:00Z", seed=0, cases=cases, trials=tuple(one.trials),
        candidates=(Candidate(name="a", model="a"), Candidate(name="b", model="b")),
        asked={"prompt": f"for {MAIL}", "system": "s", "models": ["a", "b"], "repeat": 2,
               "variant": ["x {{ input }}"], "param": ["to=Anna"]},
    )  # fmt: skip


# ---- what is kept


def test_where_nothing_was_redacted_all_is_kept_as_it_is() -> None:
    one = session()
    one.ended(trial(0), left("Write", "answer", redacted=False))
    made = comparison(one)

    assert one.as_kept(made) is made


def test_what_was_redacted_is_kept_as_it_left() -> None:
    one = session()
    marks = (Mark(check="length<3", passed=False, why=f"“to {MAIL}” has 19 characters"),)
    one.ended(trial(0, text=f"to {MAIL}", marks=marks), left("Write to [EMAIL_1]", "to [EMAIL_1]"))
    one.ended(trial(1), left("Why?", "answer", redacted=False))
    made = comparison(one)

    kept = one.as_kept(made)

    assert kept.redacted
    assert kept.cases == (Case(id="1", text="Write to [EMAIL_1]"), CASES[1])
    assert kept.trials[0].receipt.text == "to [EMAIL_1]"
    assert kept.trials[0].marks == (Mark(check="length<3", passed=False),)
    assert kept.trials[1] == made.trials[1]
    assert kept.asked == {"models": ["a", "b"], "repeat": 2}
    assert MAIL not in repr(kept)
    # What is shown stays whole.
    assert made.trials[0].receipt.text == f"to {MAIL}"
    assert made.trials[0].marks == marks


def test_columns_that_are_not_sent_are_not_kept_where_personal_data_is_searched_for() -> None:
    one = session(redact=True)
    rows = (Case(id="1", line=1, text="Why?", expected=MAIL, columns={"customer": MAIL}),)
    quoting = (Mark(check="expected", passed=False, why=f"it is so, not {MAIL}"),)
    one.ended(trial(0, marks=quoting), left("Why?", "so", redacted=False))

    kept = one.as_kept(comparison(one, rows))

    assert MAIL not in repr((kept.cases, kept.trials))
    assert kept.redacted
    assert (kept.cases[0].text, kept.trials[0].receipt.text) == ("Why?", "answer")


def test_what_was_redacted_stands_in_nothing_else_that_was_typed() -> None:
    """A check, a variant, the name of a row, and why a row was left out, say it once more."""
    one = session()
    looked = Mark(check=f"not-contains={MAIL}", passed=False, why=f"“{MAIL}” is in it")
    one.ended(trial(0, text=MAIL, marks=(looked,)), left("Write to [EMAIL_1]", "[EMAIL_1]"))
    one.ended(trial(1, 1, marks=(looked,)), left("Why?", "answer", redacted=False))
    label, named = f"{MAIL}: {{{{input}}}}", "a-template"
    cases = (replace(CASES[0], id=MAIL, line=1), replace(CASES[1], id="2", line=3))
    made = replace(
        comparison(one, cases),
        candidates=(
            Candidate(name=f"a · {label}", model="a", variant=label),
            Candidate(name=f"a · {named}", model="a", variant=named),
        ),
        checks=(looked.check, "length<3"),
        skipped=(Skipped(line=2, why=f"the row of line 1 has the id {MAIL}, too"),),
        asked={"models": ["a"], "variant": [label, named], "checks": [looked.check]},
    )

    kept = one.as_kept(made)

    assert MAIL not in repr(kept)
    assert kept.checks == ("not-contains", "length<3")
    assert [one.marks for one in kept.trials] == [(Mark(check="not-contains", passed=False),)] * 2
    assert [one.name for one in kept.candidates] == ["a · #1", "a · a-template"]
    assert [(one.id, one.line) for one in kept.cases] == [("1", 1), ("3", 3)]
    assert kept.skipped == (Skipped(line=2, why=""),)


def test_a_prompt_that_policy_let_go_nowhere_is_not_kept() -> None:
    one = session()
    for place in (0, 1):
        one.ended(trial(0, place, text="", error=REFUSED), None)
        one.ended(trial(1, place), left("Why?", "answer", redacted=False))

    kept = one.as_kept(comparison(one))

    assert kept.cases == (Case(id="1", text=""), CASES[1])
    assert kept.redacted
    assert "prompt" not in kept.asked
    assert MAIL not in repr(kept)


def test_a_prompt_that_some_were_allowed_to_have_is_kept() -> None:
    """It went to a model on this machine, and is in the ledger already."""
    one = session()
    one.ended(trial(0, 0, error=REFUSED), None)
    one.ended(trial(0, 1), left(f"Write to {MAIL}", "answer", redacted=False))
    one.ended(trial(1, 0), left("Why?", "answer", redacted=False))
    made = comparison(one)

    assert one.as_kept(made) is made


def test_cases_that_nobody_has_looked_at_are_not_kept_where_others_were_redacted() -> None:
    """Stopped before the second case was sent: what stands in it nobody knows."""
    one = session()
    one.ended(trial(0, text=MAIL, error=STOPPED), left("Write to [EMAIL_1]", "[EMAIL_1]"))
    other = Case(id="2", text=f"Call {MAIL}", columns={"prompt": MAIL})

    kept = one.as_kept(comparison(one, (CASES[0], other)))

    assert kept.cases[1] == Case(id="2", text="")
    assert kept.trials[0].receipt.error == STOPPED
    assert MAIL not in repr(kept)


def test_stopped_where_nothing_is_redacted_cases_to_come_are_kept() -> None:
    one = session()
    one.ended(trial(0, error=STOPPED), left("Write", "answer", redacted=False))
    made = comparison(one)

    assert one.as_kept(made) is made


# ---- what is heard


def test_a_notice_is_told_once_and_all_else_every_time() -> None:
    view = View()
    one = Session(CompareAsked(), settings.load(), view)
    plan = Planned(0, 0, 1)
    for event in (Notice("x", "wait"), TextDelta("a"), Notice("x", "wait"), TextDelta("a"),
                  Notice("x", "other")):  # fmt: skip
        one.event(plan, event)

    assert view.seen == [
        Notice("x", "wait"), TextDelta("a"), TextDelta("a"), Notice("x", "other"),
    ]  # fmt: skip


def test_how_far_the_judge_is() -> None:
    view = View()
    one = Session(CompareAsked(), settings.load(), view)
    for _number in range(3):
        one.ruled(Ruling(case=0, repeat=1, first=0, second=1, receipts=(receipt(), receipt())), 5)

    assert view.seen == [(2, 5), (4, 5), (5, 5)]
    assert len(one.rulings) == 3


# ---- the ledger


def kept(one: Session, count: int = 2) -> None:
    async def main() -> None:
        keeping = asyncio.create_task(one.keeping())
        for number in range(count):
            sent = left("Why?", "answer", redacted=False)
            sent = replace(sent, receipt=receipt("answer", number=number))
            one.ended(trial(0), sent)
        one.ended(trial(0, error=REFUSED), None)  # nothing was sent
        one.kept()
        async with asyncio.timeout(10):
            await keeping

    asyncio.run(main())


def test_every_run_that_left_goes_into_the_ledger() -> None:
    kept(session(tag="trial"))

    with open_ledger() as ledger:
        entries = ledger.list()
    assert sorted(one.receipt.id for one in entries) == ["r0", "r1"]
    assert all(one.tags["tag"] == "trial" for one in entries)
    assert all(one.conversation is None for one in entries)


def test_nothing_goes_into_it_where_nothing_is_to_be_kept(folder: Path) -> None:
    kept(session(no_log=True))

    assert not (folder / "DATA" / "ledger.db").exists()


def test_trouble_with_the_ledger_is_told_once(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "DATA").write_text("a file where a folder should be")
    kept(session(), count=5)

    assert capfd.readouterr().err.count("llmctl: ") == 1


def test_what_is_asked_again_can_be_written_down() -> None:
    one = session()
    one.ended(trial(0, text=MAIL), left("Write to [EMAIL_1]", "[EMAIL_1]"))

    assert json.loads(json.dumps(dict(one.as_kept(comparison(one)).asked)))


def test_what_was_searched_and_never_left_is_kept_as_it_would_have_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its model was given up before; or somebody pressed Ctrl-C, even while texts were searched."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-" + "0" * 40)
    one = session(redact=True)
    loaded = settings.load({"policy.pii": "redact", "policy.secrets": "redact"}, None, {})
    route = resolve("openai/gpt-6-luna", loaded)

    def call(case: Case) -> Chat:
        return Chat(model=route.model, messages=(message(Role.USER, case.text),))

    texts = ("plain", f"to {MAIL}", f"never seen: {MAIL}")
    rows = tuple(Case(id=str(n), line=n, text=text) for n, text in enumerate(texts, 1))
    one.clearing = Clearing(loaded, "c")
    one.clearing.look([Entrant(candidate=0, route=route, call=call)], rows[:2], quiet=True)
    refused = trial(0, error=Failure("auth", 6, "no"))
    one.ended(refused, left("plain", "", redacted=False))
    one.ended(replace(refused, case=1), None)

    kept = one.as_kept(comparison(one, rows))

    assert MAIL not in repr(kept.cases)
    assert [case.text for case in kept.cases] == ["plain", "to [EMAIL_1]", ""]
    assert kept.redacted
