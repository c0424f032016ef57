"""What may leave in a comparison, found out before its first run: searching texts takes long, and
whatever takes long while models answer would be measured as their time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmctl.cli.searched import length, while_searching
from llmctl.compare.running import Entrant
from llmctl.compare.shape import Case
from llmctl.engine.clearance import Cleared, checked, reserved
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, PrivacyRefused
from llmctl.privacy.levels import HERE
from llmctl.types import Call
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.privacy.screening import Screened
    from llmctl.settings import Loaded

Passed = tuple["Screened", Route]


class Clearing:
    """Clears the calls of one comparison, whose runs share a budget by the name of `run`."""

    def __init__(self, loaded: "Loaded", run: str) -> None:
        self._loaded = loaded
        self._run = run
        self._passed: dict[str, dict[int, Passed | LlmctlError]] = {}
        self._searched: dict[tuple[bool, str], list[tuple[Call, Screened]]] = {}

    def look(self, entrants: Sequence[Entrant], cases: Sequence[Case], *, quiet: bool) -> None:
        """Search everything that may be sent; says on a terminal what takes so long."""
        size = sum(length(entrant.call(cases[0])) for entrant in entrants) * len(cases)
        with while_searching(size, quiet=quiet):
            for case in cases:
                for entrant in entrants:
                    found = self._looked(entrant, case)
                    self._passed.setdefault(case.id, {})[entrant.candidate] = found

    def __call__(self, entrant: Entrant, case: Case) -> Cleared:
        """The call as it may be sent now; raises what keeps it from that."""
        known = self._passed.get(case.id, {})
        passed = known.get(entrant.candidate) or self._looked(entrant, case)
        if isinstance(passed, LlmctlError):
            raise passed
        screened, route = passed
        return reserved(route, screened, self._loaded, run=self._run)

    def as_left(self, case: Case) -> Call | None:
        """The call of a case with placeholders, where anything in it was replaced for anybody."""
        for passed in self._of(case):
            if not isinstance(passed, LlmctlError) and passed[0].redactions:
                return passed[0].call
        return None

    def is_doubtful(self, case: Case) -> bool:
        """Whether policy held it back from anybody, or it was not looked at to the end."""
        found = self._of(case)
        return not found or any(isinstance(one, PrivacyRefused) for one in found)

    def _of(self, case: Case) -> list[Passed | LlmctlError]:
        return [*self._passed.get(case.id, {}).values()]

    def _looked(self, entrant: Entrant, case: Case) -> Passed | LlmctlError:
        try:
            call = entrant.call(case)
            before = self._before(entrant.route, call, case)
            found = checked(entrant.route, call, self._loaded, screened=before)
        except LlmctlError as refused:
            return refused
        if before is None:
            here = entrant.route.verdict.level in HERE
            self._searched.setdefault((here, case.id), []).append((call, found[0]))
        return found

    def _before(self, route: Route, call: Call, case: Case) -> "Screened | None":
        """What was found in the same call to another model at the same distance."""
        known = self._searched.get((route.verdict.level in HERE, case.id), ())
        for other, screened in known:
            if replace(other, model=call.model) == call:
                return replace(screened, call=replace(screened.call, model=call.model), notes=())
        return None
