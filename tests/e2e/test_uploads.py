"""Files from the command line to the provider: streamed, uploaded, named, and deleted again."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Llmctl
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT

GIGACHAT = ("-m", "gigachat/mock")
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\nIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82"
)
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
MB = 1_000_000
MOST_GROWTH = 20 * MB


def made(folder: Path, name: str, head: bytes, size: int = 0) -> str:
    """A file that begins so; what is beyond takes no place on the disk."""
    path = folder / name
    path.write_bytes(head)
    os.truncate(path, max(size, len(head)))
    return str(path)


@pytest.fixture
def picture(tmp_path: Path) -> str:
    return made(tmp_path, "cat.png", PNG)


# ---- uploads


def test_an_upload_waits_for_its_turn(llmctl: Llmctl, sim: Simulator, picture: str) -> None:
    with llmctl.start("-m", "gigachat/mock-fault-silence", "hi") as first:
        first.read_until(PIECES[0].encode())
        with llmctl.start(*GIGACHAT, "-a", picture, "What is it?") as second:
            second.error_until(b"one request at a time")
            assert sim.files.most == 0
            first.process.kill()  # the system gives its turn back
            result = second.end()

    assert (result.code, result.out) == (0, TEXT + "\n"), result.err
    assert (sim.files.most, sim.files.held) == (1, {})


def test_a_picture_goes_to_the_store_and_does_not_stay(
    llmctl: Llmctl, sim: Simulator, picture: str
) -> None:
    result = llmctl.run(*GIGACHAT, "-a", picture, "What is it?", "--json", "-q")

    assert (result.code, result.err) == (0, "")
    assert result.json["text"] == TEXT
    [call] = sim.calls
    [name] = call.json["messages"][-1]["attachments"]
    assert name != "pending"
    assert sim.files.most == 1
    assert sim.files.held == {}
    paths = [one.path.rpartition("/v1/")[2] for one in sim.requests if "oauth" not in one.path]
    assert paths == ["files", "chat/completions", f"files/{name}/delete"]


def test_what_is_kept_is_named_and_what_cannot_be_deleted_told(
    llmctl: Llmctl, sim: Simulator, picture: str
) -> None:
    kept = llmctl.run(*GIGACHAT, "-a", picture, "--keep", "What is it?", "-q")
    [name] = sim.files.held

    assert (kept.code, kept.out.strip()) == (0, TEXT)
    assert name in kept.err

    sim.files.held.clear()
    sim.files.keeps = 503
    left = llmctl.run(*GIGACHAT, "-a", picture, "What is it?", "-q")
    [name] = sim.files.held

    assert (left.code, left.out.strip()) == (0, TEXT)
    assert "cat.png is still at GigaChat" in left.err
    assert f"/gigachat/v1/files/{name}/delete" in left.err


def test_nothing_is_uploaded_to_show_what_would_be_sent(
    llmctl: Llmctl, sim: Simulator, picture: str
) -> None:
    result = llmctl.run(*GIGACHAT, "-a", picture, "What is it?", "--dry-run")

    assert result.code == 0
    assert result.json["body"]["messages"][-1]["attachments"] == ["pending"]
    assert sim.requests == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, 143)])
def test_a_signal_leaves_nothing_there(
    llmctl: Llmctl, sim: Simulator, picture: str, number: signal.Signals, code: int
) -> None:
    arguments = ("-m", "gigachat/mock-fault-silence", "-a", picture, "What is it?")
    before = signal.signal(number, signal.default_int_handler)  # where nohup has it ignored
    try:
        with llmctl.start(*arguments) as running:
            running.read_until(b"Blue")
            assert len(sim.files.held) == 1
            running.signal(number)
            result = running.end()
    finally:
        signal.signal(number, before)

    assert result.code == code
    assert sim.files.held == {}
    assert "still at" not in result.err


def test_a_film_is_uploaded_by_the_files_api_within_the_time(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    film = made(tmp_path, "film.mp4", MP4, 72 * MB)  # 96 MB of base64, more than a request takes
    sim.files.script(["never-ready"])
    slow = llmctl.run("-m", "gemini/mock", "-a", film, "What is it?", "--timeout", "3", "--json")

    assert slow.code == 9
    assert slow.json["error"]["reason"] == "timeout"
    assert (sim.files.most, sim.files.held, sim.calls) == (1, {}, [])


# ---- memory


@dataclass
class Sink:
    """A server that throws bodies away and looks how much memory whoever sent them has taken."""

    url: str = ""
    pid: int = 0
    peaks: list[int] = field(default_factory=list)  # bytes
    bodies: list[int] = field(default_factory=list)

    def look(self) -> None:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                self.peaks.append(int(line.split()[1]) * 1024)


CHAT = {
    "choices": [{"index": 0, "message": {"content": "a cat"}, "finish_reason": "stop"}],
    "model": "mock",
}
ANSWER = {
    "candidates": [{"content": {"parts": [{"text": "a film"}]}, "finishReason": "STOP"}],
    "modelVersion": "mock",
}


@contextmanager
def sink() -> Iterator[Sink]:
    seen = Sink()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            left = length = int(self.headers["content-length"])
            while left:
                left -= len(self.rfile.read(min(MB, left)))
            seen.bodies.append(length)
            seen.look()
            head = {}
            if self.headers.get("x-goog-upload-command") == "start":
                head["x-goog-upload-url"] = f"{seen.url}/upload/v1beta/files?upload_id=1"
            self.answer(self.document(), head)

        def do_DELETE(self) -> None:
            self.answer({}, {})

        def document(self) -> Any:
            if self.path.startswith("/upload"):
                uri = f"{seen.url}/v1beta/files/a"
                return {"file": {"name": "files/a", "uri": uri, "state": "ACTIVE"}}
            return ANSWER if "generateContent" in self.path else CHAT

        def answer(self, document: Any, head: dict[str, str]) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            for name, value in {"content-type": "application/json", **head}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def peak(llmctl: Llmctl, seen: Sink, *arguments: str) -> int:
    """The most memory that a run had taken by the time its last request was here, in bytes."""
    seen.peaks.clear()
    seen.bodies.clear()
    with llmctl.start(*arguments, "--no-stream", "--no-log", "-q") as running:
        seen.pid = running.process.pid
        result = running.end()
    assert (result.code, result.err) == (0, "")
    return max(seen.peaks)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc")
@pytest.mark.parametrize("way", ["inside", "uploaded"])
def test_a_large_file_takes_no_memory(llmctl: Llmctl, tmp_path: Path, way: str) -> None:
    size = 72 * MB
    with sink() as seen:
        llmctl.env["LLMCTL_PROVIDERS__GEMINI__BASE_URL"] = seen.url
        llmctl.env["LLMCTL_PROVIDERS__LLAMACPP__BASE_URL"] = seen.url
        if way == "inside":
            ask = ("-m", "llamacpp/mock", "What is it?", "-a")
            small, large = made(tmp_path, "a.png", PNG, 10_000), made(tmp_path, "b.png", PNG, size)
        else:
            ask = ("-m", "gemini/mock", "What is it?", "-a")
            small, large = made(tmp_path, "a.mp4", MP4, 10_000), made(tmp_path, "b.mp4", MP4, size)
        peak(llmctl, seen, *ask, small)  # the first run checks the settings, which takes more
        before = peak(llmctl, seen, *ask, small)
        after = peak(llmctl, seen, *ask, large)

        assert max(seen.bodies) >= size * (4 / 3 if way == "inside" else 1)
    assert after - before < MOST_GROWTH
