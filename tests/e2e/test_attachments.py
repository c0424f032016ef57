"""Attached files from the command line to the request: their kinds and order, and each kind of bad
input as one clear error with nothing sent."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.attachments import docx, mp4, packed, pdf, png
from tests.e2e.harness import Llmctl
from tests.simulator import Simulator

pytestmark = pytest.mark.usefixtures("warm")

OPENAI = ("-m", "openai/gpt-6-luna")


def made(folder: Path, name: str, data: bytes, size: int = 0) -> str:
    """A file that begins so; what is beyond takes no place on the disk."""
    (folder / name).write_bytes(data)
    os.truncate(folder / name, max(size, len(data)))
    return str(folder / name)


@contextmanager
def web(body: bytes) -> Iterator[tuple[str, list[str]]]:
    """The address of a picture on a server of its own, and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/cat.png", asked
        finally:
            server.shutdown()
            thread.join(5)


def test_files_of_all_kinds_go_in_their_order(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    files = [made(tmp_path, "notes.txt", b"noted\n"), "-", made(tmp_path, "a.pdf", pdf())]
    flags = [one for name in files for one in ("-a", name)]

    result = llmctl.run(*OPENAI, *flags, "What is it?", "-q", stdin=png())

    assert (result.code, result.err) == (0, "")
    parts = sim.calls[0].json["messages"][-1]["content"]
    assert [one["type"] for one in parts] == ["text", "image_url", "file", "text"]
    assert "noted" in parts[0]["text"]
    assert parts[2]["file"]["filename"] == "a.pdf"
    assert parts[3]["text"] == "What is it?"


def test_what_a_model_does_not_take_is_not_sent(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    picture = made(tmp_path, "cat.png", png())
    result = llmctl.run("-m", "openai/gpt-3.5-turbo", "-a", picture, "What is it?")

    assert (result.code, result.out, sim.requests) == (2, "", [])
    assert "takes no image: cat.png" in result.err
    [hint] = [line for line in result.err.splitlines() if "hint" in line]
    better = hint.partition("-m ")[2].partition(",")[0]
    assert better.startswith("openai/")

    again = llmctl.run("-m", better, "-a", picture, "What is it?", "-q")
    assert (again.code, len(sim.calls)) == (0, 1)


def test_each_bad_file_is_one_error_and_nothing_is_sent(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    bad = {
        "is empty": made(tmp_path, "empty.png", b""),
        "is a directory": str(tmp_path),
        "is a device": "/dev/zero",
        "No such file": str(tmp_path / "none.png"),
        "the end of a PDF is missing": made(tmp_path, "cut.pdf", pdf()[:-8]),
        "more than 2000 MB": made(tmp_path, "film.mp4", mp4(), 3 * 10**9),
        "it is an archive": made(tmp_path, "many.zip", packed("a.txt")),
        "takes no office": made(tmp_path, "a.docx", docx()),
        "50 MB at most": made(tmp_path, "long.pdf", pdf()[:-30], 60_000_000),
    }
    for said, path in bad.items():
        forced = ("--attachment-type", "application/pdf") if "long" in path else ()
        result = llmctl.run("-m", "gemini/gemini-4-argon", "-a", path, *forced, "What is it?")
        assert (result.code, result.out) == (2, ""), path
        assert said in result.err
        assert 1 <= len(result.err.splitlines()) <= 4
    assert sim.requests == []


def test_a_large_file_shows_as_a_mark_in_a_dry_run(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    path = made(tmp_path, "cat.png", png(), 100_000_000)

    result = llmctl.run(*OPENAI, "-a", path, "What is it?", "--dry-run", "-q")

    assert (result.code, sim.requests) == (0, [])
    [picture, _prompt] = result.json["body"]["messages"][-1]["content"]
    url = picture["image_url"]["url"]
    assert url == "data:image/png;base64,<base64 of cat.png, 100000000 bytes>"


def test_what_cannot_be_searched_stays_here_where_it_must_be(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    picture = made(tmp_path, "passport.png", png())

    refused = llmctl.run(*OPENAI, "-a", picture, "What is it?", "--redact")
    assert (refused.code, refused.out, sim.requests) == (4, "", [])
    assert "passport.png" in refused.err

    told = llmctl.run(*OPENAI, "-a", picture, "What is it?")
    assert (told.code, "Not searched" in told.err) == (0, True)

    here = llmctl.run("-m", "llamacpp/mock", "-a", picture, "What is it?", "--redact")
    assert (here.code, len(sim.calls)) == (0, 2)


def test_a_conversation_goes_on_with_its_files(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    small, large = made(tmp_path, "cat.png", png()), made(tmp_path, "dog.png", png(), 2_000_000)
    first = llmctl.run(*OPENAI, "-a", small, "-a", large, "What is it?", "-q")
    Path(small).unlink()
    second = llmctl.run("-c", "Are you sure?", "-q")

    assert (first.code, second.code) == (0, 0)
    [before, after] = [call.json["messages"] for call in sim.calls]
    assert after[0] == before[0]

    os.truncate(large, 2_000_001)
    third = llmctl.run("-c", "And now?", "-q")
    assert (third.code, len(sim.calls)) == (2, 2)
    assert "dog.png, which is a part of this conversation, has changed" in third.err


def test_an_address_is_passed_on_or_fetched(llmctl: Llmctl, sim: Simulator) -> None:
    public = "https://files.example/cat.png"
    passed = llmctl.run(*OPENAI, "-a", public, "What is it?", "-q")
    assert passed.code == 0
    assert sim.calls[0].json["messages"][-1]["content"][0]["image_url"]["url"] == public

    with web(png()) as (url, asked):
        private = llmctl.run(*OPENAI, "-a", url, "What is it?")
        assert (private.code, "private network" in private.err, asked) == (2, True, [])

        flags = ("-m", "llamacpp/mock", "--local-only", "-a", url)
        refused = llmctl.run(*flags, "What is it?")
        assert (refused.code, "--fetch" in refused.err, asked) == (2, True, [])

        fetched = llmctl.run(*flags, "--fetch", "What is it?", "-q")
        assert (fetched.code, asked) == (0, ["/cat.png"])
        [picture, _prompt] = sim.calls[1].json["messages"][-1]["content"]
        assert picture["image_url"]["url"].startswith("data:image/png;base64,")

    far = llmctl.run("-m", "llamacpp/mock", "--local-only", "--fetch", "-a",
                     "https://a.example/cat.png", "What is it?")  # fmt: skip
    assert (far.code, len(sim.calls)) == (4, 2)


def test_the_cost_of_a_picture_is_left_out_of_an_estimate(llmctl: Llmctl, tmp_path: Path) -> None:
    notes, picture = made(tmp_path, "a.txt", b"word " * 400), made(tmp_path, "cat.png", png())

    bare = llmctl.run("cost", "estimate", *OPENAI, "What is it?", "--json")
    result = llmctl.run(
        "cost", "estimate", *OPENAI, "-a", notes, "-a", picture, "What is it?", "--json"
    )  # fmt: skip

    assert (bare.code, result.code) == (0, 0)
    assert 350 < result.json["input_tokens"] - bare.json["input_tokens"] < 600
    text = llmctl.run("cost", "estimate", *OPENAI, "-a", picture, "What is it?")
    assert "not counted: image/png" in text.out


@pytest.mark.parametrize("other", ["-", "/dev/stdin", "/dev/fd/0"])
def test_standard_input_goes_once_by_whatever_name(
    llmctl: Llmctl, sim: Simulator, other: str
) -> None:
    twice = llmctl.run(*OPENAI, "-a", "/dev/stdin", "-a", other, "What is it?", stdin=png())
    assert (twice.code, twice.out, sim.requests) == (2, "", [])
    assert "once only" in twice.err

    once = llmctl.run(*OPENAI, "-a", other, "What is it?", "-q", stdin=png())
    assert once.code == 0, once.err
    [picture, text] = sim.calls[0].json["messages"][-1]["content"]
    assert (picture["type"], text["text"]) == ("image_url", "What is it?")
