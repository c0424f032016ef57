"""Uploads by the official packages against the simulator, which shows that it takes them as the
providers do; and what we send is what they send."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gigachat
import pytest
from gigachat.exceptions import NotFoundError
from google import genai
from google.genai import errors, types

from llmctl import settings
from llmctl.engine.resolve import resolve
from llmctl.engine.uploads import Uploads
from llmctl.transport.exchange import Lane
from llmctl.types import Chat, Event, Media, Message, Role, Text
from llmctl.values import replace
from tests.e2e.harness import GIGACHAT_KEY, KEY
from tests.simulator import Request, Simulator
from tests.simulator.files import GIGACHAT, UPLOAD, form

DATA = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 40


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def google(sim: Simulator) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=sim.url, api_version="v1beta")
    with genai.Client(api_key=KEY, vertexai=False, http_options=options) as made:
        yield made


@pytest.fixture
def sber(sim: Simulator) -> Iterator[gigachat.GigaChat]:
    with gigachat.GigaChat(
        base_url=f"{sim.url}/gigachat/v1",
        auth_url=f"{sim.url}/gigachat/oauth",
        credentials=GIGACHAT_KEY,
        model="mock",
    ) as made:
        yield made


def ours(
    name: str, film: Path, sim: Simulator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Request]:
    """What our own engine sends for the same file, the deletion included."""
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(folder))
    monkeypatch.setenv("LLMCTL_PROVIDERS__GEMINI__BASE_URL", sim.url)
    monkeypatch.setenv("LLMCTL_PROVIDERS__GIGACHAT__BASE_URL", f"{sim.url}/gigachat/v1")
    monkeypatch.setenv("LLMCTL_PROVIDERS__GIGACHAT__AUTH_URL", f"{sim.url}/gigachat/oauth")
    monkeypatch.setenv("GIGACHAT_CREDENTIALS", GIGACHAT_KEY)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    route = resolve(name, settings.load())
    route = replace(route, quirks=replace(route.quirks, inline_bytes=0))
    file = Media("video/mp4", path=str(film), size=len(DATA), name=film.name)
    call = Chat("mock", (Message(Role.USER, (file, Text("What?"))),))
    told: list[Event] = []

    async def main() -> None:
        async with Lane(route.target) as lane, Uploads(call, route, lane, told.append) as sent:
            await sent.send()

    sim.requests = []
    asyncio.run(main())
    return [one for one in sim.requests if "oauth" not in one.path]


# ---- Gemini


def test_googles_upload(google: genai.Client, sim: Simulator, film: Path) -> None:
    made = google.files.upload(file=str(film), config={"display_name": "film.mp4"})

    [held] = sim.files.held.values()
    assert held.data == DATA
    assert (made.name, made.mime_type, made.size_bytes) == (held.name, "video/mp4", len(DATA))
    assert made.state is types.FileState.ACTIVE
    assert made.uri == f"{sim.url}/v1beta/{held.name}"


def test_google_asks_after_it_and_deletes_it(
    google: genai.Client, sim: Simulator, film: Path
) -> None:
    sim.files.looks = 2
    made = google.files.upload(file=str(film))
    assert made.state is types.FileState.PROCESSING
    assert made.name

    states = [google.files.get(name=made.name).state for _look in range(2)]
    google.files.delete(name=made.name)

    assert states == [types.FileState.PROCESSING, types.FileState.ACTIVE]
    assert sim.files.held == {}
    with pytest.raises(errors.ClientError, match="may not exist"):
        google.files.get(name=made.name)


def test_a_file_that_google_could_not_read(
    google: genai.Client, sim: Simulator, film: Path
) -> None:
    sim.files.script(["fails"])
    made = google.files.upload(file=str(film))

    assert made.state is types.FileState.FAILED
    assert made.error is not None
    assert made.error.message == "The video could not be decoded"


def test_we_upload_as_google_does(
    google: genai.Client,
    sim: Simulator,
    film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sim.requests = []
    made = google.files.upload(file=str(film), config={"display_name": "film.mp4"})
    assert made.name
    google.files.delete(name=made.name)
    theirs = list(sim.requests)

    mine = ours("gemini/mock", film, sim, tmp_path, monkeypatch)

    assert [one.method for one in mine] == [one.method for one in theirs]
    assert [one.path for one in mine][:2] == [UPLOAD, UPLOAD]
    assert mine[2].path.startswith("/v1beta/files/")
    start, sent = mine[0], mine[1]
    # The name of the file is told by the title alone; size and kind stand in both their headers
    # and their body, for us in the headers.
    assert start.json == {"file": {"displayName": "film.mp4"}}
    told = theirs[0].json["file"]
    assert {**start.json["file"], "sizeBytes": len(DATA), "mimeType": "video/mp4"} == {
        "displayName": told.get("displayName") or told["display_name"],
        "sizeBytes": int(told.get("sizeBytes") or told["size_bytes"]),
        "mimeType": told.get("mimeType") or told["mime_type"],
    }
    for name in ("protocol", "command", "header-content-length", "header-content-type"):
        assert start.headers[f"x-goog-upload-{name}"] == theirs[0].headers[f"x-goog-upload-{name}"]
    for name in ("x-goog-upload-command", "x-goog-upload-offset", "content-length"):
        assert sent.headers[name] == theirs[1].headers[name]
    assert sent.body == theirs[1].body == DATA


# ---- GigaChat


def test_sbers_upload(sber: gigachat.GigaChat, sim: Simulator, film: Path) -> None:
    with film.open("rb") as opened:
        made = sber.upload_file(opened)

    [held] = sim.files.held.values()
    assert (made.id_, made.filename, made.bytes_) == (held.name, "film.mp4", len(DATA))
    assert (held.data, held.kind) == (DATA, "video/mp4")
    assert [one.id_ for one in sber.get_files().data] == [held.name]
    assert sber.get_file(held.name).purpose == "general"


def test_sber_deletes_it(sber: gigachat.GigaChat, sim: Simulator) -> None:
    made = sber.upload_file(("a.txt", b"abc", "text/plain"))

    deleted = sber.delete_file(made.id_)

    assert (deleted.id_, deleted.deleted, sim.files.held) == (made.id_, True, {})
    with pytest.raises(NotFoundError):
        sber.get_file(made.id_)


def fields(request: Request) -> list[dict[str, Any]]:
    return form(request)


def test_we_upload_as_sber_does(
    sber: gigachat.GigaChat,
    sim: Simulator,
    film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with film.open("rb") as opened:
        made = sber.upload_file(opened)
    [theirs] = [one for one in sim.requests if one.path == GIGACHAT]
    sber.delete_file(made.id_)

    sent, deleted = ours("gigachat/mock", film, sim, tmp_path, monkeypatch)

    assert (sent.method, sent.path) == (theirs.method, theirs.path)
    assert fields(sent) == fields(theirs)
    assert len(sent.body) == len(theirs.body)  # boundaries are as long as theirs
    # Their deletion has a form with the id in it, which the API's description knows nothing of.
    assert (deleted.method, deleted.body) == ("POST", b"")
    assert deleted.path.endswith("/delete")
