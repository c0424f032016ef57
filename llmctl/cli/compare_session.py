"""One comparison while it runs: what came so far, what is shown of it, what is kept."""

import asyncio
import operator
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from llmctl.cli.compare_asked import CompareAsked
from llmctl.cli.compare_clearing import Clearing
from llmctl.cli.kept import kept_by, open_ledger
from llmctl.cli.one import tags
from llmctl.compare.kept import without_typed
from llmctl.compare.plan import Planned
from llmctl.compare.running import Left
from llmctl.compare.shape import Case, Comparison, Ruling, Trial
from llmctl.errors import PrivacyRefused
from llmctl.output.streams import err
from llmctl.store.shape import MODE_BY
from llmctl.types import Call, Chat, Event, Failure, Notice, Receipt, Text
from llmctl.values import NOTHING, replace

if TYPE_CHECKING:
    from llmctl.output.compare_live import View
    from llmctl.settings import Loaded

Kept = tuple[Receipt, Call]
# What may happen to personal data for which prompts are searched.
SEARCHING = ("redact", "local-only", "block")


class Session:
    """Hears of every trial (`llmctl.compare.running.Watcher`). `trials` are as they are shown;
    `as_left` has those that were redacted as they left, which is what may be kept."""

    def __init__(self, asked: CompareAsked, loaded: "Loaded", view: "View") -> None:
        self.trials: list[Trial] = []
        self.rulings: list[Ruling] = []
        self._asked = asked
        self._loaded = loaded
        self._view = view
        self._told: set[str] = set()
        self._left: dict[int, Left] = {}
        self._sent: set[int] = set()
        self.clearing: Clearing | None = None
        self._to_keep: asyncio.Queue[Kept | None] = asyncio.Queue()

    def began(self, planned: Planned) -> None:
        self._view.began(planned)

    def event(self, planned: Planned, event: Event) -> None:
        if isinstance(event, Notice):
            if event.text in self._told:
                return
            self._told.add(event.text)
        self._view.event(planned, event)

    def ended(self, trial: Trial, left: Left | None) -> None:
        if left is not None:
            self._sent.add(trial.case)
            if left.redacted:
                self._left[len(self.trials)] = left
            self.keep(left.receipt, left.call)
        self.trials.append(trial)
        self._view.ended(trial)

    def ruled(self, ruling: Ruling, calls: int) -> None:
        """`calls` is how often the judge is going to be asked, at most."""
        self.rulings.append(ruling)
        asked = sum(len(one.receipts) for one in self.rulings)
        self._view.judging(min(asked, calls), calls)

    def keep(self, receipt: Receipt, call: Call) -> None:
        """Let a run go into the ledger, as soon as nobody is held up by it."""
        self._to_keep.put_nowait((receipt, call))

    async def keeping(self) -> None:
        """Write into the ledger what is to be kept, in a thread: a disk that is slow must not be
        taken for a model that is. It is one thread and one ledger, which tells of trouble once and
        then waits for nothing any more. Ends after `kept`."""
        mode, by = kept_by(self._loaded)
        if mode == "off":
            return
        names = {**tags(self._asked.tag), MODE_BY: by}
        ledger = open_ledger(self._loaded)

        def record(receipt: Receipt, call: Call) -> None:
            warning = ledger.record(receipt, call, mode=mode, tags=names)
            if warning and not self._asked.quiet:
                err(f"llmctl: {warning}\n")

        run = asyncio.get_running_loop().run_in_executor
        with ThreadPoolExecutor(1, "ledger") as thread:
            while (one := await self._to_keep.get()) is not None:
                await run(thread, record, *one)
            await run(thread, ledger.close)

    def kept(self) -> None:
        self._to_keep.put_nowait(None)

    def as_kept(self, comparison: Comparison) -> Comparison:
        """The comparison as it may go to the disk: with placeholders where something was redacted,
        without the texts that policy let go nowhere; then also without those of the command line
        and of cases that nobody has looked at yet, since the same may stand in them."""
        if self._loaded.settings.policy.pii in SEARCHING:
            comparison = _as_searched(comparison)
        left = {self.trials[place].case: one.call for place, one in self._left.items()}
        comparison = self._without_unsent(comparison, left)
        fates: defaultdict[int, list[Failure | None]] = defaultdict(list)
        for trial in self.trials:
            fates[trial.case].append(trial.receipt.error)
        cases = [_held(fates[place], left.get(place), case)
                 for place, case in enumerate(comparison.cases)]  # fmt: skip
        if not left and all(map(operator.is_, cases, comparison.cases)):
            return without_typed(comparison) if comparison.redacted else comparison
        return without_typed(
            replace(
                comparison,
                cases=tuple(
                    case if fates[place] else _without_text(case)
                    for place, case in enumerate(cases)
                ),
                trials=tuple(map(self._as_left, range(len(self.trials)), self.trials)),
                redacted=True,
            )
        )

    def _without_unsent(self, comparison: Comparison, left: dict[int, Call]) -> Comparison:
        """What never left, since its model was given up or somebody stopped the comparison, is no
        more to be kept than what did: `left` gets what would have left of it."""
        if self.clearing is None:
            return comparison
        cases = list(comparison.cases)
        for place, case in enumerate(cases):
            if place in left:
                continue
            if (call := self.clearing.as_left(case)) is not None:
                left[place] = call
            elif place not in self._sent and self.clearing.is_doubtful(case):
                cases[place] = _without_text(case)
        if all(map(operator.is_, cases, comparison.cases)):
            return comparison
        return replace(comparison, cases=tuple(cases), redacted=True)

    def _as_left(self, place: int, trial: Trial) -> Trial:
        if (left := self._left.get(place)) is None:
            return trial
        return replace(trial, receipt=replace(left.receipt, error=trial.receipt.error))


def _as_searched(comparison: Comparison) -> Comparison:
    """Without the columns of rows: what is not sent is not searched for personal data either, and
    so nobody knows what stands there."""
    if not any(case.line is not None for case in comparison.cases):
        return comparison
    cases = tuple(replace(one, expected=None, columns=NOTHING) for one in comparison.cases)
    trials = tuple(replace(one, marks=tuple(replace(mark, why=None) for mark in one.marks))
                   for one in comparison.trials)  # fmt: skip
    return replace(comparison, cases=cases, trials=trials, redacted=True)


def _held(errors: Sequence[Failure | None], left: Call | None, case: Case) -> Case:
    if left is not None:
        return replace(case, text=_asked_in(left), expected=None, columns=NOTHING)
    if errors and all(one is not None and one.code == PrivacyRefused.code for one in errors):
        return _without_text(case)
    return case


def _without_text(case: Case) -> Case:
    return replace(case, text="", expected=None, columns=NOTHING)


def _asked_in(call: Call) -> str:
    """The question of a call as it left."""
    if not isinstance(call, Chat):
        return ""
    return "\n\n".join(part.text for part in call.messages[-1].parts if isinstance(part, Text))
