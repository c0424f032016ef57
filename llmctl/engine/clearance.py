"""Everything that must hold before a byte of a call leaves: what stands in it, where it would go,
what it may cost. In this order, since each looks at the call as the one before has left it."""

from typing import TYPE_CHECKING

from llmctl.dialects.media import files_of
from llmctl.engine.route import Route
from llmctl.engine.vetting import vetted
from llmctl.errors import PrivacyRefused
from llmctl.privacy.levels import HERE
from llmctl.privacy.screening import Screened, screen
from llmctl.settings import Loaded
from llmctl.types import Call, Chat, Complete, Count, Embed, Fill, Image, Notice
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from datetime import datetime

    from llmctl.cost.budgets import Reservation
    from llmctl.cost.estimate import Estimate
    from llmctl.cost.lease import Lease
    from llmctl.store.reservations import Reservations

# Characters that cost too little to ask about at any price there is; counting and pricing them
# would be a good part of what llmctl itself takes.
SMALL = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A call that may be sent: `route` with the verdict on what is really sent, `call` as it
    leaves, `notes` for the user. There is no estimate where nothing depends on one: on hardware of
    one's own, and of a small prompt without a budget."""

    route: Route
    call: Call
    screened: Screened
    estimate: "Estimate | None" = None
    reservation: "Reservation | None" = None
    notes: tuple[Notice, ...] = ()


def cleared(
    route: Route,
    call: Call,
    loaded: Loaded,
    *,
    at: "datetime | None" = None,
    run: str | None = None,
    earlier: Screened | None = None,
    store: "Reservations | Lease | None" = None,
) -> Cleared:
    """Raises PrivacyRefused, BudgetRefused; nothing is sent, and only then is money set aside.
    Calls of one `run` share what a budget allows a call, as `llmctl.cost.budgets` has it; the
    placeholders of an `earlier` call that this one goes on from hold here, too. `store` is where
    money is set aside, open, for many calls."""
    screened, route = checked(route, call, loaded, earlier=earlier)
    return reserved(route, screened, loaded, at=at, run=run, store=store)


def reserved(
    route: Route,
    screened: Screened,
    loaded: Loaded,
    *,
    at: "datetime | None" = None,
    run: str | None = None,
    store: "Reservations | Lease | None" = None,
) -> Cleared:
    """What `checked` has let pass, as it may be sent; raises BudgetRefused. It is the part that
    takes no time to speak of, and depends on what was spent meanwhile."""
    ready = Cleared(route=route, call=screened.call, screened=screened, notes=screened.notes)
    bounded = has_budget(loaded)
    if route.is_free or not (bounded or _size(screened.call) > SMALL):
        return ready
    from datetime import UTC, datetime

    from llmctl.cost.budgets import admit
    from llmctl.cost.estimate import estimated

    at = at or datetime.now(UTC)
    estimate = estimated(
        route.card,
        route.model_card,
        screened.call,
        at=at,
        mode=route.mode,
        terms=route.terms(screened.call),
        exact=bounded,
        careful=bounded,
    )
    admitted = admit(
        screened.call, estimate, loaded, provider=route.provider, run=run, store=store, at=at
    )
    return replace(
        ready,
        call=admitted.call,
        estimate=estimate,
        reservation=admitted.reservation,
        notes=(*screened.notes, *admitted.notes),
    )


def checked(
    route: Route,
    call: Call,
    loaded: Loaded,
    *,
    earlier: Screened | None = None,
    screened: Screened | None = None,
) -> tuple[Screened, Route]:
    """What may leave, and where to; raises PrivacyRefused. It holds for whatever sends the prompt,
    an answer being wanted or only a count of its tokens. What was `screened` already, for another
    model at the same distance, is not searched again."""
    here = route.verdict.level in HERE
    if screened is None:
        screened = screen(call, loaded, is_local=here, earlier=earlier)
    route = vetted(route, screened, loaded)
    if here:
        route = _kept_here(route, screened.call, loaded)
    told = [Notice("privacy", note) for note in route.verdict.notes]
    if files_of(screened.call):
        from llmctl.engine.attaching import fitting_files

        told += fitting_files(route, screened.call, loaded)
    return replace(screened, notes=(*screened.notes, *told)), route


def _kept_here(route: Route, call: Call, loaded: Loaded) -> Route:
    """A local server that may pass a call on to a cloud is asked first where the cloud may not have
    what stands in the call."""
    if route.elsewhere is None or not route.elsewhere.allowed:
        return route
    try:
        screen(call, loaded, is_local=False)
    except PrivacyRefused as refused:
        reasons = (refused.message,)
        return replace(route, elsewhere=replace(route.elsewhere, allowed=False, reasons=reasons))
    return route


def has_budget(loaded: Loaded) -> bool:
    """Whether a call may be refused for its cost, at any provider."""
    own = loaded.settings
    return any(one.is_set for one in (own.budget, *(one.budget for one in own.providers.values())))


def _size(call: Call) -> int:
    """Characters of what is sent; of what is rarely cheap (schemas, functions, files, pictures to
    be drawn) no less than what is worth counting."""
    fields = sum(len(str(value)) for value in call.options.values())
    match call:
        case Complete() | Fill():
            return len(call.prompt) + fields
        case Embed():
            return sum(map(len, call.texts)) + fields
        case Image():
            return SMALL + 1
        case Chat() | Count():
            dear = call.schema or call.tools or files_of(call)
            beside = SMALL + 1 if dear else 0
            return beside + fields + sum(len(one.text) for one in call.messages)
