"""Makes the pace of a route from its card, the settings and flags."""

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from llmctl.engine.pace import Pace, Told, alone
from llmctl.engine.route import Route
from llmctl.engine.slots import Slots
from llmctl.engine.turns import concurrency
from llmctl.errors import LlmctlError
from llmctl.settings import Loaded, ProviderSettings

if TYPE_CHECKING:
    from llmctl.store.paces import Shared


class Together(Protocol):
    """The processes of several machines that work on one job: each has its share of what may be
    under way at a time, all go by the same rates and holds."""

    def share(self, most: int) -> int: ...

    def shared(self, account: str) -> "Shared": ...


def account_of(route: Route) -> str:
    """What an account is called in files: a digest of provider, address and key, which tells none
    of them."""
    key = route.secret.reveal() if route.secret else ""
    return _digest(f"{route.provider}\0{route.target.base_url}\0{key}")


@lru_cache(maxsize=64)  # asked several times for each row
def _digest(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()[:16]


def pace_for(
    route: Route,
    loaded: Loaded,
    most: int,
    *,
    requests_per_minute: int | None = None,
    tokens_per_minute: int | None = None,
    told: Told = lambda _notice: None,
    together: "Together | None" = None,
) -> Pace:
    """At most `most` at a time, within what the card allows or the settings say in its place; so
    it is with rates: those that are passed may be lower than what stands, and never raise it.

    One object an account: the caller keeps it by `account_of`, and closes it. `told` hears what
    cannot be shared with other processes. What is shared with those of other machines is shared by
    `together` in place of this machine's files; `most` is then for all of them.
    """
    card = route.card
    own = loaded.settings.providers.get(route.provider, ProviderSettings())
    requests = _lower(
        requests_per_minute, own.requests_per_minute or card.limits.requests_per_minute
    )
    tokens = _lower(tokens_per_minute, own.tokens_per_minute or card.limits.tokens_per_minute)
    allowed = concurrency(card, own, route.quirks.settings)
    shared: Shared | None = None
    slots: Slots | None = None
    # Servers of one's own have no accounts; what their owner says of them holds all the same.
    if together is not None:
        most = together.share(most if allowed is None else min(most, allowed))
        shared = together.shared(account_of(route))
    elif card.kind == "api" or requests or tokens:
        shared = _shared(route, told)
    if (
        together is None and allowed is not None and allowed > 1
    ):  # one at a time is a turn of the call itself
        slots = _slots(route, allowed, told if shared is not None else lambda _notice: None)
    return Pace(
        most if allowed is None else min(most, allowed),
        requests_per_minute=requests,
        tokens_per_minute=tokens,
        shared=shared,
        slots=slots,
        told=told,
    )


def _lower(passed: int | None, stands: int | None) -> int | None:
    return min((rate for rate in (passed, stands) if rate), default=None)


def _shared(route: Route, told: Told) -> "Shared | None":
    from llmctl.settings.places import paths
    from llmctl.store.paces import Shared

    try:
        return Shared(paths().data / "state.db", account_of(route))
    except LlmctlError as error:
        told(alone(error))
        return None


def _slots(route: Route, count: int, told: Told) -> Slots | None:
    from llmctl.settings.places import paths

    folder = paths().data / "turns" / f"{route.card.id}-{account_of(route)}"
    try:
        return Slots(folder, count)
    except LlmctlError as error:
        told(alone(error))
        return None
