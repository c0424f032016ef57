"""Files that go to a provider before the call: sent in order, named in the request, and gone when
it is over, however it ended."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.dialects import DIALECTS
from llmctl.engine import uploads as engine
from llmctl.engine.resolve import resolve
from llmctl.engine.retry import Retries
from llmctl.engine.run import Run
from llmctl.engine.uploads import Uploads
from llmctl.errors import LlmctlError, NetworkFailed, ProviderFailed, Rejected, UsageError
from llmctl.privacy.controls import Sent
from llmctl.privacy.features import used
from llmctl.transport.exchange import Lane
from llmctl.types import (
    Chat,
    Event,
    Media,
    Message,
    Notice,
    Part,
    Progress,
    Role,
    Text,
    TextDelta,
    ToolResult,
)
from llmctl.values import replace
from tests.e2e.harness import KEY
from tests.simulator import Request, Simulator
from tests.simulator.answers import TEXT

GEMINI, GIGACHAT = "gemini/mock", "gigachat/mock"
BOTH = pytest.mark.parametrize("name", [GEMINI, GIGACHAT])


@pytest.fixture(autouse=True)
def addresses(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    made = b64encode(f"client:{KEY}".encode()).decode()
    for name, value in {
        "LLMCTL_PROVIDERS__GEMINI__BASE_URL": sim.url,
        "LLMCTL_PROVIDERS__GIGACHAT__BASE_URL": f"{sim.url}/gigachat/v1",
        "LLMCTL_PROVIDERS__GIGACHAT__AUTH_URL": f"{sim.url}/gigachat/oauth",
        "GEMINI_API_KEY": KEY,
        "GIGACHAT_CREDENTIALS": made,
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Media]:
    def make(name: str = "film.mp4", size: int = 300_000, kind: str = "video/mp4") -> Media:
        path = tmp_path / name
        path.write_bytes(name.encode() * (size // len(name)))
        return Media(kind, path=str(path), size=path.stat().st_size, name=name)

    return make


class Outcome:
    """What one call with files came to; `at_answer` is what was stored when the answer came."""

    def __init__(self, sim: Simulator, name: str, *parts: Part, **how: Any) -> None:
        self.told: list[Event] = []
        self.text = ""
        self.error: LlmctlError | None = None
        self.slept: list[float] = []
        self.at_answer: list[str] = []
        self.sim = sim
        asyncio.run(asyncio.wait_for(self._run(name, parts, how), 30))

    async def _run(self, name: str, parts: tuple[Any, ...], how: dict[str, Any]) -> None:
        route = resolve(name, settings.load())
        model = how.pop("model", "mock")
        # Everything is too large for the request.
        route = replace(route, quirks=replace(route.quirks, inline_bytes=0))
        call = Chat(model, (Message(Role.USER, (*parts, Text("What is it?"))),), stream=False)
        how.setdefault("retries", Retries(2, 0.01))
        try:
            async with Lane(route.target) as lane:
                self.run = Run(call, route, lane, retries=how["retries"])
                async with Uploads(
                    call, route, lane, self.told.append, sleep=self._sleep, **how
                ) as sent:
                    self.run.call = await sent.send()
                    async with aclosing(self.run.events()) as events:
                        async for event in events:
                            self.at_answer = [one.file for one in self.sim.files.held.values()]
                            self.text += event.text if isinstance(event, TextDelta) else ""
        except LlmctlError as error:
            self.error = error

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    @property
    def notes(self) -> list[Notice]:
        return [one for one in self.told if isinstance(one, Notice)]

    @property
    def insisted(self) -> list[str]:
        return [one.text for one in self.notes if one.insists]


def uploaded(sim: Simulator) -> list[Request]:
    """The requests that brought bytes."""
    paths = ("/gigachat/v1/files", "/upload/v1beta/files")
    return [one for one in sim.requests if one.path in paths and len(one.body) > 1000]


# ---- as it should be


@BOTH
def test_a_file_is_there_for_the_answer_and_gone_after_it(
    sim: Simulator, file: Callable[..., Media], name: str
) -> None:
    outcome = Outcome(sim, name, file())

    assert (outcome.error, outcome.text) == (None, TEXT)
    assert outcome.at_answer == ["film.mp4"]
    assert sim.files.held == {}
    assert outcome.notes == []


@BOTH
def test_several_files_keep_their_order(
    sim: Simulator, file: Callable[..., Media], name: str
) -> None:
    given = [file("b.png", kind="image/png"), file("a.png", kind="image/png"), file("c.mp4")]
    outcome = Outcome(sim, name, *given)

    assert outcome.error is None
    assert outcome.at_answer == ["b.png", "a.png", "c.mp4"]
    [call] = sim.calls
    said = call.json
    if name == GEMINI:
        parts = said["contents"][0]["parts"]
        numbers = [part["fileData"]["fileUri"].rpartition("/")[2][:8] for part in parts[:-1]]
    else:
        numbers = [one[:8] for one in said["messages"][0]["attachments"]]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 3
    assert sim.files.held == {}


def test_the_second_version_names_files_among_the_parts(
    sim: Simulator, file: Callable[..., Media], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__GIGACHAT__API", "v2")
    outcome = Outcome(sim, GIGACHAT, Text("See "), file())

    assert (outcome.error, outcome.text) == (None, TEXT)
    [call] = sim.calls
    assert call.path == "/gigachat/v2/chat/completions"
    before, named, after = call.json["messages"][0]["content"]
    assert (before, after) == ({"text": "See "}, {"text": "What is it?"})
    assert [list(one) for one in named["files"]] == [["id"]]
    assert sim.files.held == {}


@BOTH
def test_policy_sees_an_upload_before_there_is_one(file: Callable[..., Media], name: str) -> None:
    route = resolve(name, settings.load())
    call = Chat("mock", (Message(Role.USER, (file(), Text("?"))),))
    body = route.dialect.encode(call, replace(route.quirks, inline_bytes=0)).body

    for row in route.card.privacy:
        assert [one.feature for one in used(row, Sent(body=body))] == ["files"]


def test_a_small_file_is_none_of_the_files_api(sim: Simulator, file: Callable[..., Media]) -> None:
    quirks = resolve(GEMINI, settings.load()).quirks
    call = Chat("mock", (Message(Role.USER, (file(),)),))

    assert DIALECTS["gemini"]().to_upload(call, quirks) == ()


def test_what_is_sent_arrives_byte_by_byte(sim: Simulator, file: Callable[..., Media]) -> None:
    given = file()
    Outcome(sim, GEMINI, given, keep=True)

    [held] = sim.files.held.values()
    assert held.data == Path(str(given.path)).read_bytes()
    assert (held.kind, held.file) == ("video/mp4", "film.mp4")


@BOTH
def test_what_is_kept_is_named(sim: Simulator, file: Callable[..., Media], name: str) -> None:
    outcome = Outcome(sim, name, file(), keep=True)

    [there] = sim.files.held
    assert [note.code for note in outcome.notes] == ["kept"]
    assert there in outcome.insisted[0]
    assert "film.mp4" in outcome.insisted[0]


def test_what_the_service_still_reads_is_waited_for(
    sim: Simulator, file: Callable[..., Media]
) -> None:
    sim.files.looks = 3
    outcome = Outcome(sim, GEMINI, file())

    assert (outcome.error, outcome.text) == (None, TEXT)
    assert outcome.slept == [0.5, 0.75, 1.125]
    stages = {one.stage for one in outcome.told if isinstance(one, Progress)}
    assert stages == {"uploading film.mp4", "the provider reads film.mp4"}


def test_progress_is_shown_up_to_the_whole(sim: Simulator, file: Callable[..., Media]) -> None:
    given = file(size=3_000_000)
    outcome = Outcome(sim, GIGACHAT, given)

    shown = [one for one in outcome.told if isinstance(one, Progress) and one.total]
    assert (shown[-1].done, shown[-1].total) == (given.size, given.size)
    assert all(one.done <= given.size for one in shown if given.size)


def test_uploading_is_a_wait_and_no_part_of_the_answer(
    sim: Simulator, file: Callable[..., Media], monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.files.looks = 1

    async def really(self: Outcome, seconds: float) -> None:
        await asyncio.sleep(seconds)

    monkeypatch.setattr(Outcome, "_sleep", really)
    outcome = Outcome(sim, GEMINI, file())

    latency = outcome.run.meter.latency(streamed=False)
    assert latency.waited_s >= 0.5  # the look that the service was given time for
    assert latency.total_s is not None
    assert latency.total_s < 0.5


def test_a_token_that_ran_out_is_renewed_and_the_file_sent_again(
    sim: Simulator, file: Callable[..., Media]
) -> None:
    Outcome(sim, GIGACHAT, file())  # fetches a token, which is kept
    sim.tokens.clear()
    before = len(uploaded(sim))
    outcome = Outcome(sim, GIGACHAT, file())

    assert outcome.error is None
    assert len(uploaded(sim)) - before == 2
    assert sim.files.held == {}


# ---- trouble on the way


@BOTH
def test_a_busy_service_is_asked_again(
    sim: Simulator, file: Callable[..., Media], name: str
) -> None:
    sim.files.script(["busy"])
    outcome = Outcome(sim, name, file())

    assert (outcome.error, outcome.text) == (None, TEXT)
    assert [note.code for note in outcome.notes] == ["waiting"]
    assert len(uploaded(sim)) == 2
    assert sim.files.held == {}


@BOTH
def test_an_upload_that_was_cut_is_begun_again(
    sim: Simulator, file: Callable[..., Media], name: str
) -> None:
    """The service cannot have all of it, so nothing is left there."""
    sim.files.script(["cut"])
    outcome = Outcome(sim, name, file(size=20_000_000))

    assert (outcome.error, outcome.text) == (None, TEXT)
    assert outcome.at_answer == ["film.mp4"]
    assert sim.files.held == {}
    assert outcome.insisted == []


@BOTH
def test_an_upload_that_keeps_being_cut_is_given_up(
    sim: Simulator, file: Callable[..., Media], name: str
) -> None:
    sim.files.script(["cut"] * 6)  # the first of each two may meet a kept connection
    outcome = Outcome(sim, name, file(size=20_000_000))

    assert isinstance(outcome.error, NetworkFailed)
    assert outcome.error.provider == name.partition("/")[0]
    assert sim.calls == []
    assert sim.files.held == {}


@BOTH
def test_an_answer_that_never_comes_is_told_as_doubt_and_not_repeated(
    sim: Simulator, file: Callable[..., Media], name: str
) -> None:
    """All bytes went out: a second upload could leave two files there."""
    sim.files.script(["lost"])
    outcome = Outcome(sim, name, file())

    assert isinstance(outcome.error, NetworkFailed)
    assert len(sim.files.held) == 1
    [note] = outcome.insisted
    assert "whether film.mp4 has arrived" in note
    assert sim.calls == []


@BOTH
def test_an_answer_without_a_name_is_told_as_doubt(
    sim: Simulator, file: Callable[..., Media], name: str
) -> None:
    sim.files.script(["no-name"])
    outcome = Outcome(sim, name, file())

    assert isinstance(outcome.error, ProviderFailed)
    assert "whether film.mp4 has arrived" in outcome.insisted[0]


@BOTH
def test_a_file_that_is_too_large_for_the_service(
    sim: Simulator, file: Callable[..., Media], name: str
) -> None:
    sim.files.script(["too-large"])
    outcome = Outcome(sim, name, file(size=20_000_000))

    assert isinstance(outcome.error, Rejected)
    assert outcome.error.status == 413
    assert (sim.calls, sim.files.held, outcome.insisted) == ([], {}, [])


@BOTH
def test_when_the_second_is_refused_the_first_is_deleted(
    sim: Simulator, file: Callable[..., Media], name: str
) -> None:
    sim.files.script(["ok", "too-large"] if name == GIGACHAT else ["ok", "ok", "too-large"])
    outcome = Outcome(sim, name, file("one.mp4"), file("two.mp4", 20_000_000))

    assert isinstance(outcome.error, Rejected)
    assert sim.files.most == 1
    assert sim.files.held == {}


def test_a_file_that_cannot_be_made_use_of_is_deleted(
    sim: Simulator, file: Callable[..., Media]
) -> None:
    sim.files.looks = 1
    sim.files.script(["fails"])
    outcome = Outcome(sim, GEMINI, file())

    assert isinstance(outcome.error, Rejected)
    assert "could not be decoded" in outcome.error.message
    assert (sim.calls, sim.files.held) == ([], {})


def test_a_file_that_is_never_ready_ends_with_the_time(
    sim: Simulator, file: Callable[..., Media]
) -> None:
    sim.files.script(["never-ready"])
    outcome = Outcome(sim, GEMINI, file(), timeout=0.4)

    assert isinstance(outcome.error, NetworkFailed)
    assert outcome.error.reason == "timeout"
    assert sim.files.held == {}


def test_trouble_while_asking_after_a_file_does_not_send_it_again(
    sim: Simulator, file: Callable[..., Media], monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.files.looks = 2
    asked = 0
    exchange = Lane.exchange

    @asynccontextmanager
    async def torn(self: Lane, http: Any, report: Any = None) -> AsyncIterator[Any]:
        nonlocal asked
        asked += http.method == "GET"
        if http.method == "GET" and asked == 1:
            raise NetworkFailed("gone", reason="reset")
        async with exchange(self, http, report) as reply:
            yield reply

    monkeypatch.setattr(Lane, "exchange", torn)
    outcome = Outcome(sim, GEMINI, file())

    assert (outcome.error, len(uploaded(sim)), sim.files.held) == (None, 1, {})


@pytest.mark.parametrize("fault", ["no-address", "other-host"])
def test_no_byte_goes_to_another_host(
    sim: Simulator, file: Callable[..., Media], fault: str
) -> None:
    sim.files.script([fault])
    outcome = Outcome(sim, GEMINI, file())

    assert isinstance(outcome.error, ProviderFailed)
    assert ("follows no redirect" in outcome.error.message) is (fault == "other-host")
    assert (uploaded(sim), sim.files.held) == ([], {})


@BOTH
def test_a_call_that_fails_leaves_nothing(
    sim: Simulator, file: Callable[..., Media], name: str
) -> None:
    outcome = Outcome(sim, name, file(), model="mock-fault-500-final")

    assert isinstance(outcome.error, ProviderFailed)
    assert sim.files.most == 1
    assert sim.files.held == {}


def test_what_cannot_be_asked_is_found_before_anything_goes(
    sim: Simulator, file: Callable[..., Media]
) -> None:
    outcome = Outcome(sim, GIGACHAT, file(), ToolResult("a", "weather", "-20"))

    assert isinstance(outcome.error, UsageError)
    assert "may not mix" in outcome.error.message
    assert sim.requests == []


def test_a_file_that_grew_does_not_arrive(sim: Simulator, file: Callable[..., Media]) -> None:
    given = file()
    with Path(str(given.path)).open("ab") as more:
        more.write(b"x")
    outcome = Outcome(sim, GIGACHAT, given)

    assert isinstance(outcome.error, UsageError)
    assert (sim.files.most, outcome.insisted) == (0, [])


# ---- what cannot be deleted


@BOTH
@pytest.mark.parametrize(("status", "tries"), [(403, 1), (503, 2)])
def test_a_deletion_that_fails_is_told_and_hides_nothing(
    sim: Simulator, file: Callable[..., Media], name: str, status: int, tries: int
) -> None:
    sim.files.keeps = status
    outcome = Outcome(sim, name, file())

    assert (outcome.error, outcome.text) == (None, TEXT)
    [there] = sim.files.held
    [note] = outcome.insisted
    assert "film.mp4 is still at" in note
    how = f"DELETE {sim.url}/v1beta/{there}" if name == GEMINI else f"{there}/delete"
    assert how in note
    deletions = [one for one in sim.requests if there in one.path and one.method != "GET"]
    assert len(deletions) == tries


def test_one_that_hangs_keeps_nobody_waiting(
    sim: Simulator, file: Callable[..., Media], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "DELETE_SECONDS", 0.2)

    async def hang(self: Uploads, _name: str) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Uploads, "_delete_one", hang)
    outcome = Outcome(sim, GIGACHAT, file())

    assert outcome.text == TEXT
    assert "no answer in time" in outcome.insisted[0]


def test_one_that_has_gone_by_itself_is_no_trouble(
    sim: Simulator, file: Callable[..., Media], monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.files.keeps = 404
    outcome = Outcome(sim, GIGACHAT, file())

    assert (outcome.error, outcome.notes) == (None, [])


def test_whoever_stops_it_then_still_has_it_deleted(
    sim: Simulator, file: Callable[..., Media], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C when the answer is there, and only the file is still to go."""
    delete_one = Uploads._delete_one
    deleting = asyncio.Event()

    async def slowly(self: Uploads, name: str) -> LlmctlError | None:
        deleting.set()
        await asyncio.sleep(0.2)
        return await delete_one(self, name)

    async def main() -> bool:
        route = resolve(GIGACHAT, settings.load())
        call = Chat("mock", (Message(Role.USER, (file(),)),))

        async def work() -> None:
            async with Lane(route.target) as lane, Uploads(call, route, lane, print) as sent:
                await sent.send()

        task = asyncio.create_task(work())
        await deleting.wait()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    monkeypatch.setattr(Uploads, "_delete_one", slowly)

    assert asyncio.run(asyncio.wait_for(main(), 10))
    assert (sim.files.most, sim.files.held) == (1, {})


@BOTH
@pytest.mark.parametrize("when", ["uploading", "answering"])
def test_whoever_stops_it_leaves_nothing(
    sim: Simulator, file: Callable[..., Media], name: str, when: str
) -> None:
    """As Ctrl-C does it: the task is cancelled, while bytes go out or while the answer comes."""

    async def main() -> list[Event]:
        told: list[Event] = []
        reached = asyncio.Event()

        def tell(event: Event) -> None:
            told.append(event)
            second = isinstance(event, Progress) and "two.mp4" in event.stage
            if isinstance(event, TextDelta) or (when == "uploading" and second):
                reached.set()

        async def work() -> None:
            async with Lane(route.target) as lane, Uploads(call, route, lane, tell) as sent:
                run = Run(await sent.send(), route, lane)
                async with aclosing(run.events()) as events:
                    async for event in events:
                        tell(event)

        route = resolve(name, settings.load())
        route = replace(route, quirks=replace(route.quirks, inline_bytes=0))
        parts = (file("one.mp4"), file("two.mp4", 20_000_000))
        call = Chat("mock-fault-silence", (Message(Role.USER, parts),))
        if when == "uploading":
            sim.files.script(["ok", "stall"] if name == GIGACHAT else ["ok", "ok", "stall"])
        task = asyncio.create_task(work())
        await reached.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return told

    told = asyncio.run(asyncio.wait_for(main(), 30))

    assert sim.files.most == (1 if when == "uploading" else 2)
    assert sim.files.held == {}
    assert [one for one in told if isinstance(one, Notice)] == []
