"""The request that makes a batch is never sent twice unseen: what became of it is looked up."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from llmctl import settings
from llmctl.dialects.batches import Batches
from llmctl.engine.batches import Batching, Exchanging, InDoubt, Intent
from llmctl.engine.offered import by_batch, offered, settings_for
from llmctl.engine.resolve import resolve
from llmctl.engine.retry import Retries
from llmctl.engine.vetting import really_sent
from llmctl.errors import NetworkFailed, Rejected, UsageError
from llmctl.privacy.screening import Screened
from llmctl.transport.exchange import Lane
from llmctl.types import Chat, Media, Role, message
from tests.e2e.harness import KEY

FILE = Media("application/jsonl", data=b"{}", name="rows")
NOW = 1_000_000.0
LOST = httpx.ReadError("reset")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY", "YC_API_KEY"):
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("YC_FOLDER_ID", "b1g")


class Host:
    """A host that answers each (method, path) with what is next in its row; an exception is raised
    in place of an answer."""

    def __init__(self, **rows: list[Any]) -> None:
        self.rows = rows
        self.asked: list[str] = []
        self.intents: list[Intent] = []
        self.slept: list[float] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        what = f"{request.method.lower()}_{request.url.path.rpartition('/')[2].replace('-', '_')}"
        self.asked.append(what)
        found = self.rows[what].pop(0)
        if isinstance(found, Exception):
            raise found
        status, document = found if isinstance(found, tuple) else (200, found)
        return httpx.Response(status, json=document)

    def hand_in(self, provider: str, *, known: tuple[str, ...] = ()) -> str:
        route = resolve(f"{provider}/mock", settings.load())
        batches = offered(route)
        assert isinstance(batches, Batches)
        kind = {"openai": "/v1/chat/completions"}.get(provider, "2026-10-21")

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        async def run() -> str:
            lane = Lane(route.target, httpx.MockTransport(self.answer))
            exchanging = Exchanging(route, lane, Retries(2, 0.01), sleep)
            batching = Batching(batches, exchanging, known=known, clock=lambda: NOW)
            return await batching.handed_in(FILE, kind, "k1", 3, self.intents.append)

        return asyncio.run(run())


def openai_list(*rows: tuple[str, str]) -> Any:
    data = [{"id": name, "metadata": {"llmctl": key}} for name, key in rows]
    return {"data": data, "has_more": False}


def claude_list(*rows: tuple[str, int, str]) -> Any:
    return {
        "data": [
            {"id": name, "created_at": at,
             "request_counts": {"processing": count, "succeeded": 0, "errored": 0, "canceled": 0,
                                "expired": 0}}
            for name, count, at in rows
        ],
        "has_more": False,
    }  # fmt: skip


UP = {"id": "file-1"}
LATER, LONG_AGO = "1970-01-12T13:46:41Z", "1970-01-01T00:00:00Z"  # NOW is the former, less 1 s


def test_the_intent_is_there_before_the_request() -> None:
    host = Host(post_files=[UP], post_batches=[{"id": "b1"}])

    assert host.hand_in("openai") == "b1"
    assert host.asked == ["post_files", "post_batches"]
    assert host.intents == [Intent(key="k1", rows=3, since=NOW)]


@pytest.mark.parametrize("trouble", [LOST, (500, {}), (200, {"no": "name"}), (503, {})])
def test_what_was_made_all_the_same_is_found(trouble: Any) -> None:
    there = openai_list(("b0", "other"), ("b1", "k1"))
    host = Host(post_files=[UP], post_batches=[trouble], get_batches=[there])

    assert host.hand_in("openai") == "b1"
    assert host.asked == ["post_files", "post_batches", "get_batches"]


def test_what_was_not_made_is_sent_again() -> None:
    host = Host(post_files=[UP], post_batches=[LOST, {"id": "b2"}],
                get_batches=[openai_list(("b0", "other"))])  # fmt: skip

    assert host.hand_in("openai") == "b2"
    assert host.asked == ["post_files", "post_batches", "get_batches", "post_batches"]
    assert len(host.intents) == 2


def test_further_pages_are_looked_at() -> None:
    first = {**openai_list(("b0", "other")), "has_more": True, "last_id": "b0"}
    host = Host(post_files=[UP], post_batches=[LOST],
                get_batches=[first, openai_list(("b1", "k1"))])  # fmt: skip
    assert host.hand_in("openai") == "b1"


def test_a_refusal_for_now_needs_no_look() -> None:
    host = Host(post_files=[UP], post_batches=[(429, {}), {"id": "b1"}])
    assert host.hand_in("openai") == "b1"
    assert host.asked == ["post_files", "post_batches", "post_batches"]


def test_a_refusal_for_good_leaves_no_file_behind() -> None:
    bad = (400, {"error": {"message": "no", "type": "invalid_request_error"}})
    host = Host(post_files=[UP], post_batches=[bad], delete_file_1=[{}])

    with pytest.raises(Rejected):
        host.hand_in("openai")
    assert host.asked == ["post_files", "post_batches", "delete_file_1"]


def test_nobody_can_say_whether_it_was_made() -> None:
    host = Host(post_files=[UP], post_batches=[LOST], get_batches=[LOST] * 3)

    with pytest.raises(InDoubt) as found:
        host.hand_in("openai")
    assert found.value.reason == "in-doubt"
    assert not found.value.retryable
    assert host.asked.count("post_batches") == 1
    assert "delete_file_1" not in host.asked  # a batch may be reading it


def test_without_names_it_is_found_by_time_and_size() -> None:
    there = claude_list(("m1", 3, LATER), ("m2", 4, LATER), ("m3", 3, LONG_AGO), ("m4", 3, LATER))
    host = Host(post_batches=[LOST], get_batches=[there])

    assert host.hand_in("anthropic", known=("m4",)) == "m1"
    assert host.asked == ["post_batches", "get_batches"]


def test_without_names_two_that_fit_are_a_doubt() -> None:
    there = claude_list(("m1", 3, LATER), ("m2", 3, LATER))
    with pytest.raises(InDoubt):
        Host(post_batches=[LOST], get_batches=[there]).hand_in("anthropic")


def test_a_kept_connection_that_breaks_does_not_send_twice() -> None:
    """The file goes out on a connection that is kept, and that the batch is made on: when it
    breaks, the request may have arrived. (`HttpCall.once`)"""
    route = resolve("openai/mock", settings.load())
    batches = offered(route)
    assert isinstance(batches, Batches)
    seen: list[bool] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(bool(request.extensions["once"]))
        return httpx.Response(200, json={"id": "file-1" if len(seen) == 1 else "b1"})

    async def run() -> None:
        lane = Lane(route.target, httpx.MockTransport(answer))
        await Batching(batches, Exchanging(route, lane)).handed_in(
            FILE, "/v1/chat/completions", "k1", 1, lambda _intent: None
        )

    asyncio.run(run())
    assert seen == [True, True]


# ---- who takes them


@pytest.mark.parametrize("name", ["groq/mock", "ollama/mock"])
def test_who_takes_none(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        offered(resolve(name, settings.load()))
    assert "llmctl batch run" in (refused.value.hint or "")


def test_settings_under_which_rows_are_taken() -> None:
    loaded = settings.load()
    batches = offered(resolve("yandexgpt/mock", loaded))

    fitting = settings_for(batches, "yandexgpt", loaded)

    assert resolve("yandexgpt/mock", fitting).quirks.settings["mode"] == "async"
    assert settings_for(batches, "yandexgpt", fitting) is fitting


def test_policy_knows_that_it_is_a_batch() -> None:
    """A card says what that does to the data: nothing is zero retention that lies there a day."""
    loaded = settings.load()
    route = resolve("openai/gpt-6-luna", loaded)
    call = Chat("gpt-6-luna", (message(Role.USER, "Why?"),))
    screened = Screened(call=call, before=call)

    assert really_sent(route, screened, loaded).features == frozenset()
    batched = by_batch(route, offered(route))
    assert really_sent(batched, screened, loaded).features == {"batch"}


# ---- reading


def read(lines: str, failing: Callable[[], None] = lambda: None) -> list[Any]:
    route = resolve("openai/mock", settings.load())

    async def run() -> list[Any]:
        lane = Lane(route.target, httpx.MockTransport(lambda _r: httpx.Response(200, text=lines)))
        exchanging = Exchanging(route, lane)
        from llmctl.dialects import HttpCall

        return [one async for one in exchanging.lines(HttpCall("GET", "files/f/content"))]

    return asyncio.run(run())


def test_lines_of_results_and_what_is_none() -> None:
    lines = json.dumps({"a": "\u2028"}, ensure_ascii=False)
    assert read(f'{lines}\r\nnot json\n\n{{"b": 1}}') == [{"a": "\u2028"}, {"b": 1}]


def test_errors_name_provider_and_host() -> None:
    host = Host(post_files=[httpx.ConnectError("refused")] * 3)
    with pytest.raises(NetworkFailed) as failed:
        host.hand_in("openai")
    assert failed.value.provider == "openai"
    assert "api.openai.com" in (failed.value.host or "")
