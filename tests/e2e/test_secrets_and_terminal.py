"""Keys that must not show, files that nobody else may read, and text that must not drive."""

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from tests.e2e import fronts
from tests.e2e.harness import KEY, Llmctl, Result
from tests.e2e.table import BOTH, OLLAMA, OPENAI, ask
from tests.simulator import Simulator
from tests.simulator.answers import TEXT
from tests.simulator.faults import ESCAPES

pytestmark = pytest.mark.usefixtures("warm")

# What a terminal would obey in ESCAPES: clipboard, link, clearing, bell, CSI and OSC as C1,
# right-to-left override, backspace.
DRIVING = (
    "\x1b]52", "\x1b]8", "\x1b[2J", "\x1b[31m", "\x07", "\x9b", "\x9d", "\x9c", "\u202e", "\x08",
)  # fmt: skip
RETURN = "\rback"


def shows_key(llmctl: Llmctl, *results: Result) -> list[str]:
    """Where the key stands: in what was printed, or in a file of the data and cache folders."""
    places = {f"stdout {number}": one.stdout for number, one in enumerate(results)}
    places |= {f"stderr {number}": one.stderr for number, one in enumerate(results)}
    for folder in (llmctl.data, llmctl.cache, llmctl.home):
        places |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    forms = (KEY.encode(), KEY[:24].encode(), base64.b64encode(KEY.encode()))
    return [place for place, data in places.items() if any(form in data for form in forms)]


# ------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize("flags", [(), ("-v",), ("--json",), ("--events",), ("--no-stream",)])
def test_a_key_that_the_server_repeats(
    llmctl: Llmctl, sim: Simulator, flags: tuple[str, ...]
) -> None:
    result = ask(llmctl, OPENAI, "key-echo", *flags)

    assert sim.calls[0].headers["authorization"] == f"Bearer {KEY}"
    assert result.code == 6
    assert "***" in result.err
    assert (llmctl.data / "ledger.db").exists()
    assert shows_key(llmctl, result) == []


@pytest.mark.parametrize(
    ("status", "kind", "frame"),
    [
        ("403 Forbidden", "application/json", "{document}"),
        ("200 OK", "text/event-stream", "data: {document}\n\n"),
        ("200 OK", "application/json", "{document}"),
        ("307 Away", "text/plain", ""),
    ],
    ids=["refused", "in the stream", "in one piece", "redirect"],
)
def test_a_key_in_any_shape_and_place(
    llmctl: Llmctl, sim: Simulator, status: str, kind: str, frame: str
) -> None:
    """Whole, packed and in pieces; in the message, the code and the request id of an error, and in
    the address that a redirect names."""
    packed = base64.b64encode(KEY.encode()).decode()
    shape = f"{KEY},{packed},{KEY[:24]}...{KEY[-14:]}"
    document = json.dumps({"error": {"message": f"no: {shape}", "code": shape, "type": shape}})
    body = frame.replace("{document}", document)
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        f"X-Request-Id: {shape}\r\nLocation: /elsewhere/{shape}\r\n\r\n"
    )
    with fronts.mute((head + body).encode()) as server:
        own = {
            "LLMCTL_PROVIDERS__OPENAI__BASE_URL": f"http://127.0.0.1:{server.port}/v1",
            "LLMCTL_NETWORK__RETRIES": "0",
        }
        results = [
            llmctl.run("-m", "openai/mock", flag, "hi", env=own) for flag in ("-v", "--json")
        ]

    assert all(one.code for one in results)
    assert all(b"***" in one.stderr for one in results)
    assert shows_key(llmctl, *results) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n\n"])
def test_a_newline_after_a_key_is_dropped(llmctl: Llmctl, sim: Simulator, end: str) -> None:
    sim.key = KEY

    result = llmctl.run("-m", "openai/mock", "hi", env={"OPENAI_API_KEY": KEY + end})

    assert (result.code, result.out) == (0, TEXT + "\n")


@pytest.mark.parametrize("inside", ["\n", "\r\nX-Evil: 1", "\u043a", "\u200b", "\x7f"], ids=ascii)
def test_a_key_that_cannot_be_one(llmctl: Llmctl, sim: Simulator, inside: str) -> None:
    """A clear error with the place and the command, not the codec's, and never the key."""
    damaged = KEY[:20] + inside + KEY[20:]

    result = llmctl.run("-m", "openai/mock", "-v", "--json", "hi", env={"OPENAI_API_KEY": damaged})

    assert result.code == 6
    assert "OPENAI_API_KEY" in result.err
    assert "llmctl keys set openai" in result.err
    assert KEY[:20].encode() not in result.stdout + result.stderr
    assert KEY[20:].encode() not in result.stdout + result.stderr
    assert sim.requests == []


def test_a_key_is_no_argument_of_any_process(llmctl: Llmctl, sim: Simulator) -> None:
    """It comes by standard input, and stands in the header alone."""
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("needs /proc")
    for name in [name for name, value in llmctl.env.items() if value == KEY]:
        del llmctl.env[name]
    stored = llmctl.run("keys", "set", "openai", "--storage", "file", stdin=KEY.encode() + b"\n")
    assert stored.code == 0, stored.err

    with llmctl.start("-m", "openai/mock-fault-no-head", "hi") as running:
        request = sim.wait_for()[0]
        process = Path("/proc") / str(running.process.pid)
        arguments, variables = (
            (process / "cmdline").read_bytes(),
            (process / "environ").read_bytes(),
        )

    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in request.path + request.query
    assert KEY.encode() not in arguments
    assert KEY.encode() not in variables
    assert shows_key(llmctl, stored) == []


def test_no_key_leaves_with_a_dry_run(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("-m", "openai/mock", "--dry-run", "hi")

    assert result.code == 0
    assert shows_key(llmctl, result) == []
    assert sim.requests == []


# ------------------------------------------------------------------------------------------ files


def modes(*folders: Path) -> dict[str, str]:
    """The modes of what lies in `folders`, and of themselves, in octal."""
    return {
        str(path): oct(stat.S_IMODE(path.stat().st_mode))
        for folder in folders
        for path in (folder, *folder.rglob("*"))
    }


def private(path: Path) -> str:
    return "0o700" if path.is_dir() else "0o600"


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
def test_files_are_private_from_the_beginning(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.env["LLMCTL_CACHE_DIR"] = str(llmctl.home.parent / "cache")
    stored = llmctl.run("keys", "set", "openai", "--storage", "file", stdin=KEY.encode())
    asked = llmctl.run("-m", "openai/mock", "hi")

    assert (stored.code, asked.code) == (0, 0)
    found = modes(llmctl.data, llmctl.config, llmctl.home.parent / "cache")
    assert found == {path: private(Path(path)) for path in found}
    assert {"ledger.db", "keys.json"} <= {Path(path).name for path in found}


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
def test_modes_are_repaired(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.run("keys", "set", "openai", "--storage", "file", stdin=KEY.encode())
    llmctl.run("-m", "openai/mock", "hi")
    open_ones = (llmctl.config / "keys.json", llmctl.data / "ledger.db")
    for path in open_ones:
        path.chmod(0o644)
    llmctl.data.chmod(0o755)

    result = llmctl.run("-m", "openai/mock", "hi", env={"OPENAI_API_KEY": None})

    assert (result.code, result.out) == (0, TEXT + "\n")
    found = modes(llmctl.data)
    assert found == {path: private(Path(path)) for path in found}
    assert stat.S_IMODE(open_ones[0].stat().st_mode) == 0o600


# ----------------------------------------------------------------------------------------- terminal


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("markdown", ["true", "false"])
def test_escapes_of_a_model_are_shown_on_a_terminal(
    llmctl: Llmctl, sim: Simulator, provider: str, markdown: str
) -> None:
    llmctl.env["LLMCTL_OUTPUT__MARKDOWN"] = markdown

    shown = llmctl.on_terminal("-m", f"{provider}/mock-fault-escapes", "hi")

    assert shown.code == 0
    assert [one for one in DRIVING if one in shown.out] == []
    assert RETURN not in shown.out
    assert "␛]52;c;c2VjcmV0␇" in shown.out
    assert "<U+202E>evil" in shown.out


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("flags", [(), ("-v",)])
def test_escapes_of_an_error_are_shown_everywhere(
    llmctl: Llmctl, sim: Simulator, provider: str, flags: tuple[str, ...]
) -> None:
    """Standard error is mostly read on terminals, also later out of a log."""
    shown = llmctl.on_terminal("-m", f"{provider}/mock-fault-error-that-drives", *flags, "hi")
    piped = ask(llmctl, provider, "error-that-drives")

    for code, text in ((shown.code, shown.out), (piped.code, piped.err)):
        assert code == 16
        assert [one for one in DRIVING if one in text] == []
        assert RETURN not in text
        assert "␛]52;c;c2VjcmV0␇" in text


@pytest.mark.parametrize("provider", BOTH)
def test_escapes_pass_through_a_pipe(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    assert ask(llmctl, provider, "escapes").stdout == (ESCAPES + "\n").encode()


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("fault", ["escapes", "error-that-drives"])
@pytest.mark.parametrize("flag", ["--json", "--events"])
def test_json_escapes_them(
    llmctl: Llmctl, sim: Simulator, provider: str, fault: str, flag: str
) -> None:
    """JSON is data and looked at: the same text for a program, harmless for a terminal."""
    result = ask(llmctl, provider, fault, flag)

    assert [one for one in (*DRIVING, RETURN) if one in result.out] == []
    last = json.loads(result.out.splitlines()[-1])
    text = last["text"] if fault == "escapes" else last["error"]["message"]
    assert ESCAPES in text


def test_reasoning_and_names_do_not_drive_either(llmctl: Llmctl, sim: Simulator) -> None:
    """A model's name in an error comes from the command line, its thoughts from the server."""
    shown = llmctl.on_terminal("-m", "openai/mock-fault-no-model\x1b[2J", "hi")

    assert shown.code == 7
    assert "\x1b[2J" not in shown.out


@pytest.mark.parametrize("provider", [OPENAI, OLLAMA])
def test_a_terminal_gets_no_escape_of_ours_in_a_pipe(
    llmctl: Llmctl, sim: Simulator, provider: str
) -> None:
    result = llmctl.run("-m", f"{provider}/mock-thinks", "-u", "hi")

    assert result.code == 0
    assert b"\x1b" not in result.stdout + result.stderr
