"""What follows from a try: the row is through, is tried again later, goes to another model, or ends
the job."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from llmctl.batch.trying import Tried
from llmctl.batch.work import Made, Work
from llmctl.engine.give_up import ALIVE, too_long
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.errors import (
    AuthFailed,
    BudgetRefused,
    ConfigError,
    CutOff,
    Filtered,
    LlmctlError,
    NetworkFailed,
    NotFound,
    PrivacyRefused,
    ProviderFailed,
    RateLimited,
)
from llmctl.messages import _
from llmctl.settings import Loaded
from llmctl.types import Call, Chat, Complete
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.engine.give_up import GiveUp

# After one of these nothing more is sent to the model: all else would end in the same way.
HOPELESS = (AuthFailed, NotFound, ConfigError)
# What another model may be asked after.
OTHERWISE = (RateLimited, NetworkFailed, ProviderFailed, CutOff, Filtered)
# The longest that a job waits because it is told to.
MAX_WAIT_S = 3600.0
# With somebody else to ask, longer holds are not waited for.
SHORT_HOLD_S = 2.0
# As many rows that fail with no success between them are no fault of theirs.
SEVERAL = 3
# Refused for a rate so often while others were answered, it is the row. By chance that hardly ever
# happens: where every fifth is refused, to one row in two million.
LIMITED = 8
# A timer may ring a little early.
LATE_S = 0.01
CHARACTERS = 3  # a token, at least, in nearly all texts
USUAL_ANSWER = 300  # tokens


class Next(Enum):
    """What is to be done; a number instead says to try again in as many seconds."""

    END = "end"
    STOP = "stop"
    ASIDE = "aside"  # it waits for another run, and the others go on


class Deciding:
    """Of one job. `fallbacks` are asked in their order where a model does not answer, `private` in
    place of what policy forbids; `give_up` says of a model when it is taken for down. `default`
    is the model that is asked where a row names none."""

    def __init__(
        self,
        loaded: Loaded,
        *,
        give_up: Callable[[Route], "GiveUp"],
        default: str | None,
        fallbacks: Sequence[Route] = (),
        private: Route | None = None,
        repairs: bool = True,
        dedupes: bool = True,
    ) -> None:
        network = loaded.settings.network
        self.dedupes = dedupes
        self._retries = Retries(network.retries, network.backoff, max_wait=MAX_WAIT_S)
        self._give_up = give_up
        self._default = default
        self._fallbacks = fallbacks
        self._private = private
        self._repairs = repairs
        self._given_up: dict[str, LlmctlError] = {}
        self._failing: dict[str, set[int]] = {}  # rows that failed since the last answer
        self._answered: Counter[str] = Counter()  # also by a refusal of a row, by model

    @property
    def given_up(self) -> Mapping[str, LlmctlError]:
        """The models that are asked no more, and why."""
        return self._given_up

    def tokens(self, call: Call) -> int:
        """About how many a call takes, for limits of tokens a minute; what it really took is put
        right afterwards."""
        if not isinstance(call, Chat | Complete):
            return USUAL_ANSWER
        text = call.prompt if isinstance(call, Complete) else "".join(
            one.text for one in call.messages
        )  # fmt: skip
        return len(text) // CHARACTERS + (call.max_tokens or USUAL_ANSWER)

    def placed(self, work: Work) -> Made:
        """Who is asked: a model that was given up is passed over where there is another."""
        while True:
            made = work.made
            assert made is not None  # noqa: S101  it has begun
            if (patience := self._give_up(made.route)).is_over:
                self._given_up.setdefault(made.route.requested, patience.error())
            error = self._given_up.get(made.route.requested)
            if error is None or not self._hop(work, error):
                return made

    def patience(self, work: Work) -> float:
        """The longest hold, in seconds, that a row stands in line for."""
        made = work.made
        assert made is not None  # noqa: S101  it has begun
        left = min(self._left(made.route), MAX_WAIT_S)
        return left if self._other(work) is None else min(left, SHORT_HOLD_S)

    def held(
        self, work: Work, hold_s: float, *, apart_s: float = 0.0, elsewhere: bool = False
    ) -> float | None:
        """What a row does that its account is to wait so long, its model alone `apart_s`: None: it
        stands in line; 0: look once more who is asked; else it comes again in so many seconds.
        `elsewhere`: another process was told of it."""
        made = work.made
        assert made is not None  # noqa: S101  it has begun
        longest = max(hold_s, apart_s)
        if longest <= 0 or made.route.requested in self._given_up:
            return None
        if not apart_s and hold_s <= self.patience(work):
            return None
        if longest > SHORT_HOLD_S and self._hop(work, RateLimited(_("the account is to wait"))):
            return 0.0
        after = self._give_up(made.route).after_s
        if longest > min(after, MAX_WAIT_S):
            error = too_long(made.route.provider, longest, after, elsewhere=elsewhere)
            self._given_up.setdefault(made.route.requested, error)
            return 0.0
        return min(longest, self._left(made.route)) + LATE_S

    def is_its_own(self, work: Work, error: LlmctlError | None) -> bool:
        """Whether a refusal for a rate is a matter of the row alone, such as one that is too large:
        the account need not wait for it."""
        return isinstance(error, RateLimited) and work.limited >= SEVERAL

    def _left(self, route: Route) -> float:
        """Seconds until a model is given up where nothing works."""
        patience = self._give_up(route)
        return patience.after_s if patience.left is None else patience.left

    def on(self, work: Work, tried: Tried) -> Next | float:
        """What follows from a try."""
        made, error = work.made, tried.error
        assert made is not None  # noqa: S101  it was tried
        if error is None or (tried.receipt.attempts and isinstance(error, ALIVE)):
            self._give_up(made.route).heard(error)
            self._failing.pop(made.route.requested, None)
            self._answered[made.route.requested] += 1
        if error is None:
            return Next.END
        if tried.repairing is not None and self._repairs and work.repairing is None:
            work.repairing = tried.repairing
            return 0.0
        if isinstance(error, PrivacyRefused):
            return self._kept_here(work, error)
        if isinstance(error, HOPELESS) or is_used_up(error) or is_out_of_reach(error):
            return self._over(work, made, error)
        if not may_pass(error):
            if isinstance(error, Filtered) and self._hop(work, error):
                return 0.0
            return Next.END
        if made.route.requested in self._given_up:
            return self._over(work, made, error)
        return self._again(work, made, error)

    def unpaid(self, work: Work, error: BudgetRefused) -> Next:
        """What follows where a row may not be paid for: others may cost less, or have a price. What
        a model of its own costs does not change by waiting."""
        made = work.made
        assert made is not None  # noqa: S101  it was asked about
        if error.reason == "state":  # nothing can be paid for
            return Next.STOP
        if error.reason == "over-budget":
            return Next.ASIDE
        return Next.END if self._without(made) is Next.END else Next.ASIDE

    def _again(self, work: Work, made: Made, error: LlmctlError) -> Next | float:
        limited = isinstance(error, RateLimited)
        if limited and not self._fallbacks:
            self._count_limit(work, made)
            if work.limited > LIMITED:
                return Next.END
        patience = self._give_up(made.route)
        if not self.is_its_own(work, error):
            patience.heard(error)
        failing = self._failing.setdefault(made.route.requested, set())
        if len(failing) < SEVERAL:
            failing.add(work.line)
        if patience.is_over:
            return self._over(work, made, patience.error())
        if limited and error.retry_after_s is None and self._hop(work, error):
            return 0.0
        if not limited or self._fallbacks:  # a limit alone is waited for as long as it takes
            if not work.failed:
                work.answered = self._answered[made.route.requested]
            work.failed += 1
        if work.failed > self._retries.attempts:
            return self._tried_enough(work, made, error)
        tries = max(1, work.failed, min(work.limited, self._retries.attempts))
        wait = self._retries.wait(_passing(error), tries, 0.0)
        if wait is None:  # the server asks for more patience than there is
            wait = self._retries.ceiling
        if limited and not self.is_its_own(work, error):
            wait = min(wait, 1.0)  # the pace holds all rows for as long as the limit says
        return min(wait, self._left(made.route) + LATE_S)

    def _count_limit(self, work: Work, made: Made) -> None:
        answered = self._answered[made.route.requested]
        if work.limited >= SEVERAL or (
            work.refused_at is not None and answered > work.refused_at
        ):  # and it may be the last by now
            work.limited += 1
        work.refused_at = answered

    def _tried_enough(self, work: Work, made: Made, error: LlmctlError) -> Next | float:
        """A row that has failed as often as a row may. Where several have, and no other was
        answered while this one was tried, it is not the row: it waits for the provider, until that
        is given up."""
        if self._hop(work, error):
            return 0.0
        name = made.route.requested
        if len(self._failing[name]) < SEVERAL or self._answered[name] > work.answered:
            return Next.END
        if made.route.card.kind != "api" and error.reason == "connect":
            return self._over(work, made, error)  # a server of one's own is not running
        if isinstance(error, CutOff):
            return Next.END
        return min(self._retries.ceiling, self._left(made.route) + LATE_S)

    def _over(self, work: Work, made: Made, error: LlmctlError) -> Next | float:
        self._given_up.setdefault(made.route.requested, error)
        return 0.0 if self._hop(work, error) else self._without(made)

    def _without(self, made: Made) -> Next:
        """A model that nobody can ask: the job ends where it is the model of all rows."""
        return Next.END if made.named and made.route.requested != self._default else Next.STOP

    def _kept_here(self, work: Work, error: LlmctlError) -> Next | float:
        private = self._private
        if private is None or any(one.cause == error.code for one in work.hops):
            return Next.END
        self._to(work, private, error)
        return 0.0

    def _hop(self, work: Work, error: LlmctlError) -> bool:
        """Turn to the next model, where there is one that may answer instead."""
        if not (isinstance(error, OTHERWISE) or is_used_up(error)):
            return False
        if (route := self._other(work)) is not None:
            self._to(work, route, error)
        return route is not None

    def _other(self, work: Work) -> Route | None:
        """The next model that may be asked for a row."""
        asked = {one.model for one in work.hops}
        made = work.made
        for route in self._fallbacks:
            same = made is not None and route.requested == made.route.requested
            if not (same or route.requested in asked or route.requested in self._given_up):
                return route
        return None

    def _to(self, work: Work, route: Route, error: LlmctlError) -> None:
        made = work.made
        assert made is not None  # noqa: S101  it was tried
        call = replace(made.call, model=route.model)
        work.hop(Made(route=route, call=call, named=made.named), error.code)


def is_used_up(error: LlmctlError) -> bool:
    """Whether an account has nothing left, which waiting does not change."""
    if not isinstance(error, RateLimited):
        return False
    return not error.retryable or (error.retry_after_s or 0.0) > MAX_WAIT_S


def is_out_of_reach(error: LlmctlError) -> bool:
    """Whether a server cannot be asked at all: it is not there, has another name, or another
    certificate. A row's own limit of time says nothing of the others."""
    return isinstance(error, NetworkFailed) and not error.retryable and error.reason != "timeout"


def may_pass(error: LlmctlError) -> bool:
    """Whether asking again may help. Nobody has seen the beginning of an answer that was cut off,
    so that it can be asked for as a whole."""
    return error.retryable or isinstance(error, CutOff)


def _passing(error: LlmctlError) -> LlmctlError:
    error.retryable = True  # for how long to wait, which is all that is asked here
    return error
