"""What a provider claims and what its answers make of it, over scripted answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from llmctl.cards import Card, Endpoint, Model
from llmctl.dialects import DIALECTS
from llmctl.engine.diagnose import State
from llmctl.engine.proof import FEWEST_TOKENS, MOST_CALLS, Proof, Tried
from llmctl.engine.route import Route
from llmctl.errors import CheckFailed
from llmctl.keys import Secret
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target
from llmctl.types import Quirks
from llmctl.values import replace

CARD = Card(
    card=1,
    id="a",
    name="A",
    kind="api",
    dialect="openai_chat",
    endpoint=Endpoint(base_url="https://api.example.com/v1"),
)
ROUTE = Route(
    requested="a/m",
    provider="a",
    model="m",
    card=CARD,
    model_card=None,
    dialect=DIALECTS["openai_chat"](),
    quirks=Quirks(),
    target=Target(provider="a", base_url="https://api.example.com/v1"),
    verdict=cast(Any, None),
)
NAMES = [
    *("streamed", "list", "whole", "system", "max-tokens", "schema", "sampling", "stop"),
    *("no-model", "bad-request"),
]


class Provider(httpx.AsyncBaseTransport):
    """Does everything right, but for what `wrong` says by the name of the claim."""

    def __init__(self, **wrong: tuple[int, Any]) -> None:
        self.wrong = {name.replace("_", "-"): answer for name, answer in wrong.items()}
        self.bodies: list[Any] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(await request.aread() or b"{}")
        self.bodies.append(body)
        status, answer = self.wrong.get(claim(request, body)) or self.right(request, body)
        if status == 200 and body.get("stream"):
            return httpx.Response(200, stream=Events(answer))
        return httpx.Response(status, stream=Whole(json.dumps(answer)))

    def right(self, request: httpx.Request, body: Any) -> tuple[int, Any]:
        match claim(request, body):
            case "list":
                return 200, {"data": [{"id": "m"}, {"id": "n"}]}
            case "system":
                return 200, said("Pineapple")
            case "max-tokens":
                return 200, said("1 2 3", "length")
            case "schema":
                return 200, said('{"city": "Canberra"}')
            case "stop":
                return 200, said("one two three ")
            case "no-model":
                return 404, {"error": {"message": "no such model", "code": "model_not_found"}}
            case "bad-request":
                return 400, {"error": {"message": "messages must be a list"}}
            case _:
                return 200, said("OK")


def claim(request: httpx.Request, body: Any) -> str:
    """Which claim a request is about, by what stands in it."""
    if request.method == "GET":
        return "list"
    if not isinstance(body["messages"], list):
        return "bad-request"
    if body["model"] != "m":
        return "no-model"
    first = body["messages"][0]
    marks = {
        "system": first["role"] == "system",
        "max-tokens": first["content"].startswith("Repeat: 1"),
        "schema": "response_format" in body,
        "sampling": "temperature" in body or "seed" in body,
        "stop": "stop" in body,
        "whole": not body.get("stream"),
    }
    return next((name for name, there in marks.items() if there), "streamed")


def said(text: str, finish: str = "stop", tokens: int = 2) -> Any:
    usage = {"prompt_tokens": 5, "completion_tokens": tokens}
    message = {"role": "assistant", "content": text}
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}


class Whole(httpx.AsyncByteStream):
    def __init__(self, text: str) -> None:
        self._text = text

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._text.encode()


class Events(Whole):
    def __init__(self, answer: Any) -> None:
        super().__init__(f"data: {json.dumps(answer)}\n\ndata: [DONE]\n\n")


def proven(provider: Provider, route: Route = ROUTE) -> dict[str, Tried]:
    async def all_of() -> list[Tried]:
        async with Lane(route.target, provider) as lane:
            proof = Proof(route, lane, tokens=32)
            return [await proof.first(), *[one async for one in proof.rest()]]

    return {one.check.layer: one for one in asyncio.run(all_of())}


def states(tried: dict[str, Tried]) -> dict[str, State]:
    return {name: one.check.state for name, one in tried.items()}


def test_a_provider_that_does_it_all_passes_in_ten_calls() -> None:
    provider = Provider()

    tried = proven(provider)

    assert states(tried) == dict.fromkeys(NAMES, State.OK)
    assert len(provider.bodies) == MOST_CALLS == 10
    assert "as told" in tried["system"].check.text
    assert "5 + 2" in tried["streamed"].check.text
    assert "2 models, m among them" in tried["list"].check.text
    limits = [body["max_tokens"] for body in provider.bodies if "max_tokens" in body]
    assert set(limits) == {32, FEWEST_TOKENS}


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("list", (200, {"data": []}), "empty list"),
        ("list", (500, {"error": {"message": "oh"}}), "oh"),
        ("whole", (500, {"error": {"message": "oh"}}), "oh"),
        ("system", (400, {"error": {"message": "no role system"}}), "no role system"),
        ("max-tokens", (200, said("1 2 3", tokens=40)), "instead of at 16 tokens"),
        ("schema", (200, said("Canberra")), "not JSON"),
        ("schema", (200, said('{"town": "Canberra"}')), "does not match"),
        ("sampling", (400, {"error": {"message": "no seed"}}), "no seed"),
        ("stop", (200, said("one two three four five")), "four"),
        ("no-model", (200, said("OK")), "as if nothing were wrong"),
        ("no-model", (400, {"error": {"message": "bad"}}), "rejected, not as not-found"),
        ("bad-request", (200, said("OK")), "as if nothing were wrong"),
        ("bad-request", (500, {"error": {"message": "oh"}}), "provider-error, not as rejected"),
    ],
)
def test_a_claim_that_does_not_hold_fails_alone(
    name: str, answer: tuple[int, Any], words: str
) -> None:
    tried = proven(Provider(**{name.replace("-", "_"): answer}))

    assert states(tried) == {**dict.fromkeys(NAMES, State.OK), name: State.FAILED}
    check = tried[name].check
    assert words in check.text
    assert isinstance(check.error, CheckFailed)
    assert check.error.exit_code == 17


def test_what_the_card_does_not_claim_is_not_tried() -> None:
    provider = Provider()
    quirks = Quirks(sampling=False, seed=False, stop=False, schema="none")

    tried = proven(provider, replace(ROUTE, quirks=quirks))

    skipped = {"schema", "sampling", "stop"}
    assert {name for name, state in states(tried).items() if state is State.SKIPPED} == skipped
    assert len(provider.bodies) == MOST_CALLS - 3


def test_a_model_without_schemas_is_not_asked_for_one() -> None:
    tried = proven(Provider(), replace(ROUTE, model_card=Model(id="m", schema=False)))

    assert states(tried)["schema"] is State.SKIPPED


def test_a_rate_limit_proves_nothing() -> None:
    limited = (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}})

    tried = proven(Provider(stop=limited, bad_request=limited))

    assert states(tried)["stop"] is State.SKIPPED
    assert states(tried)["bad-request"] is State.SKIPPED
    assert "slow down" in tried["stop"].check.text


def test_an_answer_that_the_own_limit_cut_proves_nothing_of_schemas() -> None:
    tried = proven(Provider(schema=(200, said('{"city": "Canb', "length"))))

    assert states(tried)["schema"] is State.SKIPPED
    assert "32 tokens" in tried["schema"].check.text


def test_a_server_of_one_s_own_need_not_mind_names() -> None:
    local = replace(ROUTE, card=replace(CARD, kind="local"))

    tried = proven(Provider(no_model=(200, said("OK"))), local)

    assert states(tried)["no-model"] is State.SKIPPED


def test_names_with_a_slash_are_asked_for_as_such() -> None:
    provider = Provider()
    proven(provider, replace(ROUTE, model="maker/m"))

    assert "llmctl/no-such-model" in {body.get("model") for body in provider.bodies}


def test_a_list_that_is_refused_with_the_key_in_its_words_does_not_show_it() -> None:
    key = "proof-" + "9" * 24
    words = {"error": {"message": f"no list for Bearer {key}"}}
    route = replace(ROUTE, secret=Secret(key, "test"))

    check = proven(Provider(list=(403, words)), route)["list"].check
    assert check.state is State.FAILED
    assert "no list for Bearer ***" in check.text
    assert key not in f"{check.text} {check.error} {check.error and check.error.args}"
