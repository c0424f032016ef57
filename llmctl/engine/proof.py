"""Whether a provider does what its card claims: a few small real calls, each with what must come.

At most `MOST_CALLS` requests to the provider (those by which a token is fetched not counted), no
repetitions: what is shown is what happens. The first call stands for the layers of the wire; where
it fails, the others are not made.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmctl.dialects import DIALECTS, Decoder, Dialect, HttpCall
from llmctl.dialects.look import parse
from llmctl.engine.balance import balance_of
from llmctl.engine.diagnose import Check, State
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.engine.run import Run
from llmctl.errors import (
    CheckFailed,
    LlmctlError,
    NotFound,
    RateLimited,
    Rejected,
    SchemaMismatch,
)
from llmctl.keys.secret import masked
from llmctl.messages import _
from llmctl.types import Call, Chat, Finished, FinishReason, Json, Quirks, Role, Usage, message
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.transport.exchange import Lane

MOST_CALLS = 10
# The least that every provider takes for a limit of an answer (OpenAI's responses ask for 16).
FEWEST_TOKENS = 16

HELLO = message(Role.USER, "Say OK.")
SYSTEM = message(Role.SYSTEM, "Whatever is said, answer with the one word PINEAPPLE.")
TOLD = "pineapple"
# Longer than any limit given here, by models and by whatever cuts text into pieces.
COUNT = message(Role.USER, "Repeat: " + " ".join(map(str, range(1, 81))))
CAPITAL = message(Role.USER, "The capital of Australia, as JSON with the one key city.")
SCHEMA: Mapping[str, Json] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WORDS = message(Role.USER, "Repeat: one two three four five six seven")
STOP = "four"
NO_MODEL = "llmctl-no-such-model"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call came to; `seconds` is the time of the whole answer."""

    text: str = ""
    finished: Finished | None = None
    error: LlmctlError | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Tried:
    """One claim and what became of it. `call` and `answer` are None where nothing was sent, `call`
    alone for what is no call to a model."""

    check: Check
    call: Chat | None = None
    answer: Answer | None = None


class Spoilt(Dialect):
    """A dialect whose requests are wrong: a number stands where each list belongs, the list of
    messages among them, which no provider overlooks."""

    def __init__(self, sound: Dialect) -> None:
        self._sound = sound

    def encode(self, call: Call, quirks: Quirks) -> HttpCall:
        http = self._sound.encode(call, quirks)
        body = {key: 1 if isinstance(value, list) else value
                for key, value in (http.body or {}).items()}  # fmt: skip
        return replace(http, body=body)

    def decoder(self, call: Call, quirks: Quirks) -> Decoder:
        return self._sound.decoder(call, quirks)

    def failure(self, status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
        return self._sound.failure(status, headers, body)


class Proof:
    """The calls for one route over one lane. `tokens` bounds every answer."""

    def __init__(
        self, route: Route, lane: "Lane", *, tokens: int, timeout: float | None = None
    ) -> None:
        self._route = route
        self._lane = lane
        self._tokens = tokens
        self._timeout = timeout

    async def first(self) -> Tried:
        """A streamed answer: the layers of the wire are proven by it."""
        answer, call = await self._asked()
        if answer.error is not None:
            return Tried(Check("streamed", State.FAILED, answer.error.message, answer.error),
                         call, answer)  # fmt: skip
        return Tried(Check("streamed", State.OK, _said(answer)), call, answer)

    async def rest(self) -> AsyncIterator[Tried]:
        """Everything else the card claims, one call after the other."""
        steps: tuple[Callable[[], Awaitable[Tried]], ...] = (
            self._listed, self._whole, self._system, self._length, self._schema,
            self._sampled, self._stopped, self._no_model, self._bad_request,
        )  # fmt: skip
        for step in steps:
            yield await step()
        if (told := await self._balance()) is not None:
            yield told

    # ---- one claim each

    async def _listed(self) -> Tried:
        # The list is the provider's, whatever the dialect of the one model.
        dialect = DIALECTS[self._route.card.dialect]()
        http = dialect.listing()
        if http is None or self._route.card.kind == "embedded":
            return _skipped("list", _("it cannot be asked for its models"))
        try:
            names = dialect.listed(await self._fetched(dialect, http))
        except TimeoutError:
            return self._failed("list", None, Answer(), _("no answer in time"))
        except LlmctlError as error:
            return self._judged("list", None, Answer(error=error), "")
        model = self._route.model
        known = any(name == model or name.startswith(f"{model}/") for name in names)
        text = _("{count} models, {model} among them", count=len(names), model=model)
        if not known:
            text = _("{count} models, {model} not among them", count=len(names), model=model)
        wrong = "" if names else _("an empty list of models")
        return self._judged("list", None, Answer(), wrong, text)

    async def _fetched(self, dialect: Dialect, http: HttpCall) -> Json:
        """The answer to a request that asks no model anything; raises LlmctlError, TimeoutError."""
        try:
            async with asyncio.timeout(self._timeout), self._lane.exchange(http) as reply:
                if not 200 <= reply.status < 300:
                    raise dialect.failure(reply.status, reply.headers, await reply.text())
                frames = [frame.data async for frame in reply.frames(http.framing)]
            return parse("".join(frames))
        except LlmctlError as error:
            # No run stands between, which would have taken out what the server repeats of the key.
            error.message = masked(error.message, self._route.secret, self._lane.tokens)
            error.args = (error.message,)
            raise

    async def _balance(self) -> Tried | None:
        dialect = DIALECTS[self._route.card.dialect]()
        try:
            told = await balance_of(dialect, self._fetched)
        except TimeoutError:
            return self._failed("balance", None, Answer(), _("no answer in time"))
        except LlmctlError as error:
            return self._judged("balance", None, Answer(error=error), "")
        return None if told is None else Tried(Check("balance", State.OK, told))

    async def _whole(self) -> Tried:
        answer, call = await self._asked(stream=False)
        return self._judged("whole", call, answer, "")

    async def _system(self) -> Tried:
        answer, call = await self._asked(messages=(SYSTEM, HELLO))
        followed = TOLD in answer.text.lower()
        text = _("taken; the model did as told") if followed else _(
            "taken; the model did not do as told"
        )  # fmt: skip
        return self._judged("system", call, answer, "", text)

    async def _length(self) -> Tried:
        answer, call = await self._asked(messages=(COUNT,), max_tokens=FEWEST_TOKENS)
        wrong = ""
        finished = answer.finished
        spent = finished.usage.output_tokens if finished and finished.usage else None
        if finished and finished.reason is not FinishReason.LENGTH:
            if spent is not None and spent < FEWEST_TOKENS:
                return _skipped("max-tokens", _("the answer ended by itself before the limit"))
            wrong = _("the answer ended with {reason} instead of at {tokens} tokens",
                      reason=finished.reason.value, tokens=FEWEST_TOKENS)  # fmt: skip
        return self._judged("max-tokens", call, answer, wrong)

    async def _schema(self) -> Tried:
        model = self._route.model_card
        none = self._route.quirks.schema != "json_schema" or not self._takes("schema")
        if none or (model and model.schema is False):
            return _skipped("schema", _("the card claims none"))
        answer, call = await self._asked(messages=(CAPITAL,), schema=SCHEMA)
        if answer.finished and answer.finished.reason is FinishReason.LENGTH:
            text = _("cut off at the limit of {tokens} tokens", tokens=self._tokens)
            return Tried(Check("schema", State.SKIPPED, text), call, answer)
        wrong = ""
        if answer.error is None:
            from llmctl.engine.schema import check_answer

            try:
                check_answer(SCHEMA, answer.text)
            except SchemaMismatch as error:
                wrong = error.message
        return self._judged("schema", call, answer, wrong)

    async def _sampled(self) -> Tried:
        sampling, seed = self._takes("sampling"), self._takes("seed")
        if not (sampling or seed):
            return _skipped("sampling", _("the card claims neither temperature nor seed"))
        answer, call = await self._asked(temperature=0.0 if sampling else None,
                                         seed=7 if seed else None)  # fmt: skip
        return self._judged("sampling", call, answer, "")

    async def _stopped(self) -> Tried:
        if not self._takes("stop"):
            return _skipped("stop", _("the card claims none"))
        answer, call = await self._asked(messages=(WORDS,), stop=(STOP,))
        wrong = _("{word} stands in the answer", word=STOP) if STOP in answer.text else ""
        return self._judged("stop", call, answer, wrong)

    async def _no_model(self) -> Tried:
        name = "llmctl/no-such-model" if "/" in self._route.model else NO_MODEL
        route = replace(self._route, model=name, model_card=None)
        answer, call = await self._asked(route, model=name)
        return self._refused("no-model", call, answer, NotFound)

    async def _bad_request(self) -> Tried:
        route = replace(self._route, dialect=Spoilt(self._route.dialect))
        answer, call = await self._asked(route)
        return self._refused("bad-request", call, answer, Rejected)

    # ---- what they share

    def _takes(self, knob: str) -> bool:
        """Whether the card claims a knob, and the format has a word for it."""
        route = self._route
        return bool(getattr(route.quirks, knob)) and knob not in route.dialect.lacks

    async def _asked(self, route: Route | None = None, **how: Json) -> tuple[Answer, Chat]:
        route = route or self._route
        stated = {"model": route.model, "messages": (HELLO,), "max_tokens": self._tokens, **how}
        call = Chat(**stated)
        run = Run(call, route, self._lane, retries=Retries(0), timeout=self._timeout)
        error = None
        try:
            async with aclosing(run.events()) as events:
                async for _event in events:
                    pass
        except LlmctlError as failed:
            error = failed
        run.meter.end()
        seconds = run.meter.latency(streamed=True).total_s or 0.0
        return Answer(run.meter.text, run.meter.finished, error, seconds), call

    def _judged(
        self, name: str, call: Chat | None, answer: Answer, wrong: str, text: str = ""
    ) -> Tried:
        """A claim that holds unless the call failed or `wrong` says what is."""
        if isinstance(answer.error, RateLimited):
            return Tried(Check(name, State.SKIPPED, answer.error.message), call, answer)
        if answer.error is not None:
            wrong = answer.error.message
        if wrong:
            return self._failed(name, call, answer, wrong)
        return Tried(Check(name, State.OK, text or _said(answer)), call, answer)

    def _refused(self, name: str, call: Chat, answer: Answer, kind: type[LlmctlError]) -> Tried:
        """A claim that holds when the call is refused with an error of `kind`."""
        if isinstance(answer.error, kind):
            text = _("refused as {code}: {said}", code=kind.code, said=answer.error.message)
            return Tried(Check(name, State.OK, text), call, answer)
        if isinstance(answer.error, RateLimited):
            return self._judged(name, call, answer, "")
        if answer.error is not None:
            wrong = _("refused as {code}, not as {expected}: {said}", code=answer.error.code,
                      expected=kind.code, said=answer.error.message)  # fmt: skip
        elif self._route.card.kind != "api":
            return Tried(Check(name, State.SKIPPED, _("this server does not mind")), call, answer)
        else:
            wrong = _("answered as if nothing were wrong")
        return self._failed(name, call, answer, wrong)

    def _failed(self, name: str, call: Chat | None, answer: Answer, wrong: str) -> Tried:
        error = CheckFailed(
            _("{provider} does not do what its card claims ({claim}): {wrong}",
              provider=self._route.provider, claim=name, wrong=wrong),
            hint=_("keep what was sent and what came: --record FILE"),
            provider=self._route.provider,
            host=self._route.host,
        )  # fmt: skip
        return Tried(Check(name, State.FAILED, wrong, error), call, answer)


def _skipped(name: str, why: str) -> Tried:
    return Tried(Check(name, State.SKIPPED, why))


def _said(answer: Answer) -> str:
    """An answer in a line: how it ended, what it used, how long it took."""
    finished = answer.finished
    if finished is None:
        return ""
    usage = finished.usage or Usage()
    unknown = _("unknown")
    return _(
        "{reason}, tokens {read} + {written}, {seconds:.2f} s",
        reason=finished.reason.value,
        read=unknown if usage.input_tokens is None else usage.input_tokens,
        written=unknown if usage.output_tokens is None else usage.output_tokens,
        seconds=answer.seconds,
    )
