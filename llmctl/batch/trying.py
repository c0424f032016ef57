"""One try of one row: what may leave of it, the request, the answer as the user sees it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from llmctl.batch.work import Made, Repairing, unsent
from llmctl.engine.attempt import attempted
from llmctl.engine.clearance import Cleared, checked, reserved
from llmctl.engine.repair import repaired
from llmctl.engine.restoring import Restoring
from llmctl.errors import Incomplete, LlmctlError, SchemaMismatch
from llmctl.messages import _
from llmctl.settings import Loaded
from llmctl.transport.exchange import Lane
from llmctl.types import Chat, Event, FinishReason, Notice, Receipt
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.cost.lease import Lease
    from llmctl.privacy.screening import Screened


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it. `receipt` has the answer as the user sees it; `repairing` is what may be
    asked instead of a call whose answer missed its schema."""

    receipt: Receipt
    error: LlmctlError | None
    repairing: Repairing | None = None


class Trying:
    """Tries the rows of one job: each try is checked by policy, paid from one budget, and measured,
    as any other call is. There is one request a try: when it is made again is for the job to say.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        run: str,
        store: "Lease | None" = None,
        tell: Callable[[Notice], None] = lambda _notice: None,
    ) -> None:
        self._loaded = loaded
        self._network = replace(loaded.settings.network, retries=0)
        self._run = run
        self._store = store
        self._tell = tell
        self._told: set[str] = set()

    def check(self, made: Made, repairing: Repairing | None) -> "tuple[Screened, Made]":
        """What may leave, and where to; raises PrivacyRefused. It may take a while."""
        call = made.call if repairing is None else repairing.call
        earlier = None if repairing is None else repairing.earlier
        screened, route = checked(made.route, call, self._loaded, earlier=earlier)
        return screened, replace(made, route=route)

    def reserve(self, made: Made, screened: "Screened") -> Cleared:
        """The call as it may be sent; raises BudgetRefused."""
        ready = reserved(made.route, screened, self._loaded, run=self._run, store=self._store)
        for note in ready.notes:
            self.tell(note)
        return ready

    async def send(self, ready: Cleared, lane: Lane, begun: float | None = None) -> Tried:
        """The one request; whatever goes wrong is an outcome."""
        receipt, error = await attempted(ready, lane, self._network, self._event, begun=begun)
        if error is None and receipt.finish_reason is FinishReason.LENGTH:
            error = cut_short()
            receipt = replace(receipt, error=error.failure())
        repairing = None
        if isinstance(error, SchemaMismatch) and isinstance(ready.screened.call, Chat):
            call = repaired(ready.screened.call, receipt.text, error)
            repairing = Repairing(call, ready.screened)
        restorer = ready.screened.restorer()
        if restorer is not None:
            is_json = isinstance(ready.call, Chat) and ready.call.schema is not None
            receipt = Restoring(restorer, is_json=is_json).receipt(receipt)
        return Tried(receipt, error, repairing)

    def refused(self, made: Made, error: LlmctlError) -> Tried:
        """A try of which nothing was sent."""
        return Tried(unsent(made.route, error), error)

    def _event(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.tell(event)

    def tell(self, note: Notice) -> None:
        """Pass a note on, unless the same was said of another row."""
        if note.text not in self._told and len(self._told) < 1000:
            self._told.add(note.text)
            self._tell(note)


def cut_short() -> Incomplete:
    """In a job nobody sees that an answer ends in the middle."""
    return Incomplete(
        _("the answer was cut by a length limit"),
        hint=_("allow a longer one with --max-tokens N, or use a model with more context"),
    )
