"""Asking a local server where a model runs, before the prompt is sent."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from llmctl.dialects import DIALECTS, Frame, Framing, HttpCall
from llmctl.engine.route import Route
from llmctl.engine.whereabouts import can_tell, must_ask, refuse_elsewhere, refuse_untaken
from llmctl.errors import LlmctlError, NotFound, PrivacyRefused, ProviderFailed, UsageError
from llmctl.types import Chat, Level, Media, Message, Quirks, Role, Text, Verdict

FORBIDDEN = Verdict(False, Level.UNKNOWN, reasons=("at worst device is allowed (flag)",))
ALLOWED = Verdict(True, Level.UNKNOWN)


def route(elsewhere: Verdict | None) -> Route:
    missing = cast(Any, None)
    return Route(
        requested="ollama/m", provider="ollama", model="m", card=missing, model_card=None,
        dialect=DIALECTS["ollama"](), quirks=Quirks(), target=missing,
        verdict=Verdict(True, Level.DEVICE), elsewhere=elsewhere,
    )  # fmt: skip


class Reply:
    headers: Mapping[str, str] = {}

    def __init__(self, status: int, body: str) -> None:
        self.status = status
        self._body = body

    async def text(self) -> str:
        return self._body

    async def frames(self, framing: Framing) -> AsyncIterator[Frame]:
        yield Frame(self._body)


class Lane:
    def __init__(self, status: int, body: str) -> None:
        self.asked: list[HttpCall] = []
        self._reply = Reply(status, body)

    @asynccontextmanager
    async def exchange(self, http: HttpCall) -> AsyncIterator[Reply]:
        self.asked.append(http)
        yield self._reply


def ask(status: int, body: str) -> Lane:
    lane = Lane(status, body)
    asyncio.run(refuse_elsewhere(route(FORBIDDEN), cast(Any, lane)))
    return lane


def test_only_a_policy_that_cares_is_worth_a_question() -> None:
    assert [must_ask(route(one)) for one in (FORBIDDEN, ALLOWED, None)] == [True, False, False]


def test_a_model_that_runs_here_may_be_asked() -> None:
    lane = ask(200, json.dumps({"details": {"family": "qwen3"}}))

    assert [(one.path, one.body) for one in lane.asked] == [("api/show", {"model": "m"})]


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (200, '{"remote_host": "https://ollama.com:443"}', PrivacyRefused, "ollama.com"),
        (200, '{"remote_model": "gpt-oss:120b"}', PrivacyRefused, "at worst device"),
        (404, '{"error": "model \'m\' not found"}', NotFound, "not found"),
        # What cannot be told counts as the worst.
        (200, "Ollama is running", ProviderFailed, "not JSON"),
        (200, "[]", ProviderFailed, "where the model runs"),
        (500, "{}", ProviderFailed, "500"),
    ],
)
def test_whatever_else_it_says_keeps_the_prompt_here(
    status: int, body: str, error: type[LlmctlError], said: str
) -> None:
    with pytest.raises(error, match=said):
        ask(status, body)


# ---- what a model takes


def asked_what(status: int, body: str, *kinds: str) -> Lane:
    lane = Lane(status, body)
    files = tuple(Media(kind, data=b"x") for kind in kinds)
    call = Chat("m", (Message(Role.USER, (*files, Text("x"))),))
    asyncio.run(refuse_untaken(route(None), call, cast(Any, lane)))
    return lane


SEES = json.dumps({"capabilities": ["completion", "vision"]})


def test_a_server_is_asked_what_a_model_takes_where_there_are_files() -> None:
    assert [one.path for one in asked_what(200, SEES, "image/png").asked] == ["api/show"]
    assert asked_what(200, SEES).asked == []
    assert can_tell(route(None))


@pytest.mark.parametrize(
    ("body", "kinds", "said"),
    [
        ('{"capabilities": ["completion"]}', ("image/png",), "takes no image"),
        (SEES, ("image/png", "audio/wav"), "takes no audio"),
        (SEES, ("application/pdf",), "takes no pdf"),
    ],
)
def test_a_file_that_it_does_not_take_stays_here(
    body: str, kinds: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        asked_what(200, body, *kinds)


@pytest.mark.parametrize(
    ("status", "body"), [(200, '{"details": {}}'), (404, "{}"), (500, ""), (200, "no JSON"),
                         (200, "[]"), (200, '{"capabilities": null}')],
)  # fmt: skip
def test_a_server_that_does_not_say_it_will_see_for_itself(status: int, body: str) -> None:
    assert len(asked_what(status, body, "image/png").asked) == 1
