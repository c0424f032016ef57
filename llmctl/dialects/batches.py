"""Sets of requests that a provider answers later, for less: pure translation, as for one request.

A row of such a set is the very body that would be sent for it alone, and its answer goes into the
same decoder. What differs between providers is how a set is handed in (`Batches`: as a file of
lines; `OneByOne`: each row begins an operation of its own), what they say of its state, and where
its answers lie.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, runtime_checkable

from llmctl.dialects import FollowUp, Frame, HttpCall
from llmctl.errors import LlmctlError, ProviderFailed, UsageError
from llmctl.messages import _
from llmctl.types import NOTHING, Call, Chat, Complete, Json, Media, Quirks
from llmctl.values import dataclass, replace


class Phase(StrEnum):
    """How far a set is. The last four are its ends."""

    WAITING = "waiting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"  # as a whole: no row of it was answered
    EXPIRED = "expired"  # what was answered in time is there
    CANCELLED = "cancelled"  # the same

    @property
    def is_over(self) -> bool:
        return self in (Phase.DONE, Phase.FAILED, Phase.EXPIRED, Phase.CANCELLED)


class Gone(StrEnum):
    """Why a row of a set that ended has no answer."""

    EXPIRED = "expired"
    CANCELLED = "cancelled"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """What a provider says of a set: how many rows of it have an answer and how many an error
    (None: it does not say); the requests that bring the results, lines of JSON each; those that
    delete what it keeps of the set, once the results are safe; `error` is why it failed."""

    phase: Phase
    answered: int | None = None
    failed: int | None = None
    results: tuple[HttpCall, ...] = ()
    leftovers: tuple[HttpCall, ...] = ()
    error: LlmctlError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A set in a provider's list: its name there, the name we gave it, how many rows it has and
    when it was made (Unix time), each None where the list does not say."""

    job: str
    key: str | None = None
    rows: int | None = None
    created: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of the row `id`: a `body` with its `status`, as an answer to it alone would have
    them, or the word why there is none."""

    id: str
    status: int = 200
    body: Json = None
    request_id: str | None = None
    gone: Gone | None = None


class Handing(Protocol):
    """The state of a set on its way. `then` is the next request and when it goes out; `read` takes
    what came back to it, header names in lower case, and sets `then` anew, or to None once `job` is
    known. `creates` says that `then` makes the set, so that it must not go out twice unseen.

    `leftover` deletes what was uploaded for it so far. `read` raises an `LlmctlError`.
    """

    then: FollowUp | None
    creates: bool
    job: str | None = None
    leftover: HttpCall | None = None

    def read(self, headers: Mapping[str, str], frame: Frame) -> None: ...


@runtime_checkable
class Batches(Protocol):
    """Sets that are handed in as a file of lines. `mode` is the way of processing by which a card
    prices them. Lines stand between `head` and `tail`, `joint` between two; `has_keys` says that a
    set bears the name that we give it, by which it is found again in the list."""

    mode: str = "batch"
    head: bytes = b""
    joint: bytes = b"\n"
    tail: bytes = b"\n"
    has_keys: bool = False

    def entry(self, id: str, call: Call, quirks: Quirks) -> Mapping[str, Json]:
        """The line of a row, whose answer will bear `id`; raises UsageError for a call that does
        not fit into a set."""
        ...

    def kind(self, call: Call, quirks: Quirks) -> str:
        """What only rows of the same kind may share a set by; it goes into `hand_in`."""
        ...

    def hand_in(self, file: Media, key: str, kind: str) -> Handing: ...

    def look(self, job: str) -> HttpCall:
        """The request that asks for the state of a set."""
        ...

    def state(self, job: str, answer: Json) -> JobState: ...

    def cancel(self, job: str) -> HttpCall | None:
        """None where there is no such request."""
        ...

    def listing(self, page: str | None = None) -> HttpCall:
        """A request for the sets of an account, the newest first; `page` is from `listed`."""
        ...

    def listed(self, answer: Json) -> tuple[list[Candidate], str | None]:
        """The sets, and what names the next page."""
        ...

    def result(self, line: Json) -> Result | None:
        """What a line of the results says; None for a line that is none."""
        ...


@runtime_checkable
class OneByOne(Protocol):
    """Rows of which each begins an operation, by the request for it alone once `settings` (values
    of what the card adds) hold; the price follows from these. `result` bears the answer to `look`
    as a whole, which the decoder of the call reads."""

    settings: Mapping[str, str] = NOTHING

    def begun(self, answer: Json) -> str:
        """The operation's name in the answer to a request; raises ProviderFailed without one."""
        ...

    def look(self, job: str) -> HttpCall: ...

    def result(self, id: str, answer: Json) -> Result | None:
        """What came of the row `id`, by the answer to `look`; None while it is worked on."""
        ...

    def cancel(self, job: str) -> HttpCall | None: ...


AnyBatches = Batches | OneByOne


def alone(call: Call) -> Call:
    """The call as it stands in a set: nothing is streamed there."""
    if isinstance(call, Chat | Complete) and call.stream:
        return replace(call, stream=False)
    return call


def whole(http: HttpCall) -> Mapping[str, Json]:
    """The body of a request as a row's; raises UsageError for what is no JSON or asks to be
    streamed."""
    if http.body is None:
        raise UsageError(_("such a request cannot be one of a batch"))
    if http.body.get("stream"):
        raise UsageError(_("nothing is streamed in a batch; leave out -o stream"))
    return http.body


def refuse_uploads(files: tuple[Media, ...]) -> None:
    """Raises UsageError for files that would have to lie at the provider until the end."""
    if files:
        raise UsageError(
            _("{name} would be uploaded apart, which is not done for batches",
              name=files[0].name or files[0].media_type),
            hint=_("send such rows one by one: llmctl batch run"),
        )  # fmt: skip


def named(name: str | None, kind: str) -> str:
    """A name that a provider gave; raises ProviderFailed without one."""
    if not name:
        raise ProviderFailed(
            _("the answer to {request} names nothing that could be asked for later", request=kind),
            reason="no-name",
            retryable=False,
        )
    return name
