"""What every provider must be able to do, or must be said not to by its card or its format.

Each feature is a coroutine over one stage: it raises AssertionError where something is wrong, and
returns whether the feature is there.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from llmctl.dialects import DIALECTS
from llmctl.dialects.look import parse
from llmctl.engine.retry import Retries
from llmctl.engine.run import Run
from llmctl.engine.schema import check_answer
from llmctl.errors import LlmctlError, UsageError
from llmctl.transport.exchange import Lane
from llmctl.types import (
    Call,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    Role,
    TextDelta,
    Tool,
    ToolCall,
    message,
)
from tests.matrix.lanes import MOCK
from tests.matrix.play import OFTEN, PROMPT, Stage
from tests.simulator.answers import TEXT, THOUGHT, Answer
from tests.simulator.exchange import FAULTS, Exchange
from tests.simulator.faults import HALF

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
TOOL = Tool("weather", "The weather in a city.", SCHEMA)
TEMPERATURE, SEED = 0.25, 7319


async def _thinks(exchange: Exchange) -> None:
    await exchange.well(Answer(thought=THOUGHT))


FAULTS.setdefault("thinks", _thinks)


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back, and `sent`, the body of the last request as JSON."""

    events: Sequence[Event]
    error: LlmctlError | None
    sent: Any

    @property
    def text(self) -> str:
        return "".join(one.text for one in self.events if isinstance(one, TextDelta))

    @property
    def finished(self) -> Finished:
        assert self.error is None, self.error
        assert isinstance(self.events[-1], Finished)
        return self.events[-1]

    @property
    def said(self) -> str:
        """The request as text."""
        return json.dumps(self.sent, ensure_ascii=False)

    def holds(self, value: object) -> bool:
        """Whether a value stands anywhere in the request, as itself or as text."""
        return _holds(self.sent, value)


def _holds(body: Any, value: object) -> bool:
    match body:
        case dict():
            return any(_holds(one, value) for one in body.values())
        case list():
            return any(_holds(one, value) for one in body)
        case bool():
            return False
        case _:
            return bool(body == value) or body == str(value)


async def ask(stage: Stage, call: Call, fault: str | None = "well") -> Heard:
    """One call that meets `fault`; with None the simulator goes by the name of the model."""
    stage.forget()
    if fault is not None:
        stage.sim.script([fault] * OFTEN)
    events: list[Event] = []
    error = None
    async with Lane(stage.route.target) as lane:
        run = Run(call, stage.route, lane, retries=Retries(0))
        try:
            async with aclosing(run.events()) as passing:
                events = [event async for event in passing]
        except LlmctlError as failed:
            error = failed
    asked = stage.sim.calls
    return Heard(events, error, asked[-1].json if asked else None)


def claims(stage: Stage, knob: str) -> bool:
    """Whether the card has a knob and the format a word for it."""
    return bool(getattr(stage.route.quirks, knob)) and knob not in stage.route.dialect.lacks


# ---- the features


async def streamed(stage: Stage) -> bool:
    heard = await ask(stage, stage.chat())
    assert heard.text == TEXT
    assert heard.finished.reason is FinishReason.STOP
    return sum(isinstance(one, TextDelta) for one in heard.events) > 1


async def whole(stage: Stage) -> bool:
    heard = await ask(stage, stage.chat(stream=False))
    assert heard.text == TEXT
    assert heard.finished.reason is FinishReason.STOP
    return sum(isinstance(one, TextDelta) for one in heard.events) == 1


async def system(stage: Stage) -> bool:
    asked = (message(Role.SYSTEM, "Be terse, at 12°"), message(Role.USER, PROMPT))
    heard = await ask(stage, stage.chat(messages=asked))
    assert heard.text == TEXT
    return heard.said.count("Be terse, at 12°") == 1


async def conversation(stage: Stage) -> bool:
    texts = ["first question", "first answer", "второй вопрос"]
    roles = (Role.USER, Role.ASSISTANT, Role.USER)
    asked = tuple(message(role, text) for role, text in zip(roles, texts, strict=True))
    heard = await ask(stage, stage.chat(messages=asked))
    assert heard.text == TEXT
    places = [heard.said.find(text) for text in texts]
    return -1 not in places and places == sorted(places)


async def limit(stage: Stage) -> bool:
    heard = await ask(stage, stage.chat(max_tokens=2))
    assert heard.text == HALF
    return heard.finished.reason is FinishReason.LENGTH


async def schema(stage: Stage) -> bool:
    heard = await ask(stage, stage.chat(schema=SCHEMA))
    if not claims(stage, "schema") or stage.route.quirks.schema == "none":
        assert "people" not in heard.said
        return False
    assert heard.error is None, heard.error
    if stage.route.quirks.schema == "json_schema":
        check_answer(SCHEMA, heard.text)
        return "people" in heard.said
    return isinstance(json.loads(heard.text), dict)


async def stop(stage: Stage) -> bool:
    asked = (message(Role.USER, "Repeat: one two three four"),)
    heard = await ask(stage, stage.chat(messages=asked, stop=("three",)))
    assert heard.error is None, heard.error
    claimed = claims(stage, "stop")
    assert heard.text == ("one two " if claimed else "one two three four")
    return claimed


async def temperature(stage: Stage) -> bool:
    heard = await ask(stage, stage.chat(temperature=TEMPERATURE))
    assert heard.text == TEXT
    assert heard.holds(TEMPERATURE) == claims(stage, "sampling")
    return claims(stage, "sampling")


async def seed(stage: Stage) -> bool:
    heard = await ask(stage, stage.chat(seed=SEED))
    assert heard.text == TEXT
    assert heard.holds(SEED) == claims(stage, "seed")
    return claims(stage, "seed")


async def tools(stage: Stage) -> bool:
    heard = await ask(stage, stage.chat(tools=(TOOL,)))
    if isinstance(heard.error, UsageError):
        assert heard.sent is None, "refused before anything was sent"
        return False
    (called,) = (one for one in heard.events if isinstance(one, ToolCall))
    assert called.name == TOOL.name
    assert heard.finished.reason is FinishReason.TOOL_CALLS
    check_answer(SCHEMA, called.arguments)
    return True


async def reasoning(stage: Stage) -> bool:
    heard = await ask(stage, stage.chat(), "thinks")
    assert heard.text == TEXT, "thoughts are no part of the answer"
    assert heard.finished.reason is FinishReason.STOP
    thought = "".join(one.text for one in heard.events if isinstance(one, ReasoningDelta))
    assert thought in ("", THOUGHT)
    return bool(thought)


async def usage(stage: Stage) -> bool:
    counted = (await ask(stage, stage.chat())).finished.usage
    assert counted is not None
    assert counted.output_tokens == 4, "one for each piece that the simulator says"
    return (counted.input_tokens or 0) > 0


async def request_id(stage: Stage) -> bool:
    return bool((await ask(stage, stage.chat())).finished.request_id)


async def option(stage: Stage) -> bool:
    heard = await ask(stage, stage.chat(options={"x_note": "kept"}))
    return heard.holds("kept")


async def listing(stage: Stage) -> bool:
    stage.forget()
    dialect = DIALECTS[stage.route.card.dialect]()
    http = dialect.listing()
    if http is None:
        return False
    async with Lane(stage.route.target) as lane, lane.exchange(http) as reply:
        assert reply.status == 200
        body = "".join([frame.data async for frame in reply.frames(http.framing)])
    names = dialect.listed(parse(body))
    # Some name versions, too.
    assert any(name.partition("/")[0] == MOCK for name in names), names
    return True


async def unknown_model(stage: Stage) -> bool:
    heard = await ask(stage, stage.chat(model="no-such-model"), None)
    assert heard.error is not None
    assert heard.error.code == "not-found", heard.error
    return True


async def leaving(stage: Stage) -> bool:
    """Whoever stops reading closes the connection at once: the server stops writing."""
    stage.forget()
    stage.sim.script(["endless"])
    async with Lane(stage.route.target) as lane:
        run = Run(stage.chat(), stage.route, lane)
        async with aclosing(run.events()) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        (call,) = stage.sim.calls
        return await asyncio.to_thread(call.disconnected.wait, 2)


async def renewal(stage: Stage) -> bool:
    """A token that the server no longer knows is renewed once, and the answer comes."""
    await ask(stage, stage.chat())
    if not stage.sim.tokens:
        return False
    stage.sim.tokens.clear()
    heard = await ask(stage, stage.chat())
    assert heard.text == TEXT
    return bool(stage.sim.tokens)


# (feature, dialect): why an answer in this dialect never has it.
ABSENT: dict[tuple[str, str], str] = {
    ("thoughts", "yandexgpt"): "it counts thoughts and does not show them",
    ("thoughts", "gigachat_v2"): "its answers have no place for them",
}


@dataclass(frozen=True, slots=True)
class Feature:
    """`always` says that every provider must have it; where not, card or format may lack it."""

    name: str
    says: str
    check: Callable[[Stage], Awaitable[bool]]
    always: bool = True


FEATURES: tuple[Feature, ...] = (
    Feature("stream", "an answer piece by piece", streamed),
    Feature("whole", "an answer in one piece", whole),
    Feature("system", "a system prompt, once", system),
    Feature("turns", "earlier messages, in order", conversation),
    Feature("limit", "`--max-tokens`, finish reason length", limit),
    Feature("usage", "tokens read and written, streamed too", usage),
    Feature("id", "the request's id", request_id),
    Feature("-o", "a request field by its own name", option),
    Feature("404", "an unknown model is exit code 7", unknown_model),
    Feature("leaving", "who leaves closes the connection (B8)", leaving),
    Feature("schema", "`--schema` in the provider's own JSON mode", schema, always=False),
    Feature("stop", "`--stop`", stop, always=False),
    Feature("temp", "`--temperature`", temperature, always=False),
    Feature("seed", "`--seed`", seed, always=False),
    Feature("tools", "calls of functions", tools, always=False),
    Feature("thoughts", "reasoning apart from the answer", reasoning, always=False),
    Feature("list", "`models list --live`", listing, always=False),
    Feature("renewal", "a token that died is renewed once (C5)", renewal, always=False),
)


def checked_by_all(stages: Sequence[Stage], feature: Feature) -> list[bool | BaseException]:
    """One feature, tried with all of them at the same time; what went wrong in its place."""

    async def all_of() -> list[bool | BaseException]:
        tries = (feature.check(stage) for stage in stages)
        return await asyncio.gather(*tries, return_exceptions=True)

    return asyncio.run(all_of())
