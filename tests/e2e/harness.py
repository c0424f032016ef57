"""The real command as a process in a world of its own: empty home, no keys of anybody, every
provider's address leading to the simulator."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.simulator import Simulator

# Made at run time: a literal would look like a leaked one to scanners.
KEY = "sk-" + "".join("5mJq9Zt2"[number % 8] for number in range(40))
GIGACHAT_KEY = b64encode(f"client:{KEY[3:]}".encode()).decode()
COMMAND = shutil.which("llmctl", path=str(Path(sys.executable).parent)) or shutil.which("llmctl")
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended; `seconds` is its wall time."""

    code: int
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def out(self) -> str:
        return self.stdout.decode("utf-8")

    @property
    def err(self) -> str:
        return self.stderr.decode("utf-8")

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.stdout)


class Llmctl:
    """Runs `llmctl`. `env` is the whole environment of its runs and may be changed."""

    def __init__(self, folder: Path, sim: Simulator) -> None:
        self.home = folder / "home"
        self.config = folder / "config"
        self.data = folder / "data"
        self.cache = folder / "cache"
        self.home.mkdir()
        self.env: dict[str, str] = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "LLMCTL_CONFIG_DIR": str(self.config),
            "LLMCTL_DATA_DIR": str(self.data),
            "LLMCTL_CACHE_DIR": str(self.cache),
            "LLMCTL_NETWORK__BACKOFF": "0.01",
            "LLMCTL_PROVIDERS__OPENAI__BASE_URL": sim.openai_url,
            "LLMCTL_PROVIDERS__LLAMACPP__BASE_URL": sim.openai_url,
            "LLMCTL_PROVIDERS__VLLM__BASE_URL": sim.openai_url,
            "LLMCTL_PROVIDERS__LMSTUDIO__BASE_URL": sim.openai_url,
            "LLMCTL_PROVIDERS__OLLAMA__BASE_URL": sim.url,
            "LLMCTL_PROVIDERS__GEMINI__BASE_URL": sim.url,
            "LLMCTL_PROVIDERS__ANTHROPIC__BASE_URL": sim.anthropic_url,
            "LLMCTL_PROVIDERS__GIGACHAT__BASE_URL": f"{sim.url}/gigachat/v1",
            "LLMCTL_PROVIDERS__GIGACHAT__AUTH_URL": f"{sim.url}/gigachat/oauth",
            "LLMCTL_PROVIDERS__YANDEXGPT__BASE_URL": sim.url,
            "LLMCTL_PROVIDERS__YANDEXGPT__IAM_URL": f"{sim.url}/iam/v1/tokens",
            "LLMCTL_PROVIDERS__YANDEXGPT__OPERATIONS_URL": sim.url,
            "YC_API_KEY": KEY,
            "YC_FOLDER_ID": "b1gown",
            "OPENAI_API_KEY": KEY,
            "ANTHROPIC_API_KEY": KEY,
            "GIGACHAT_CREDENTIALS": GIGACHAT_KEY,
            "GEMINI_API_KEY": KEY,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }

    def run(
        self,
        *arguments: str,
        stdin: bytes | int | IO[bytes] | None = None,
        stdout: int | IO[bytes] = subprocess.PIPE,
        env: Mapping[str, str | None] | None = None,
        timeout: float = SECONDS,
    ) -> Result:
        """Run to the end. `stdin` is what is piped in, a file, or nothing (/dev/null); a None in
        `env` takes a variable away."""
        begun = time.monotonic()
        running = self.start(*arguments, stdin=stdin, stdout=stdout, env=env)
        return running.end(stdin if isinstance(stdin, bytes) else None, timeout, begun)

    def start(
        self,
        *arguments: str,
        stdin: bytes | int | IO[bytes] | None = None,
        stdout: int | IO[bytes] = subprocess.PIPE,
        env: Mapping[str, str | None] | None = None,
    ) -> "Running":
        """Start and leave running; bytes for `stdin` only say that there is a pipe."""
        assert COMMAND, "llmctl is not installed beside this interpreter"
        merged = {**self.env, **(env or {})}
        source: int | IO[bytes] = subprocess.DEVNULL
        if stdin is not None:
            source = subprocess.PIPE if isinstance(stdin, bytes) else stdin
        process = subprocess.Popen(
            [COMMAND, *arguments],
            cwd=self.home,
            env={name: value for name, value in merged.items() if value is not None},
            stdin=source,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
        return Running(process)

    def on_terminal(self, *arguments: str, typed: bytes = b"", timeout: float = SECONDS) -> Result:
        """Run on a pseudo-terminal that is standard input, output and error at once; what all of
        them showed is the `stdout` of the result."""
        assert COMMAND
        begun = time.monotonic()
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [COMMAND, *arguments],
            cwd=self.home,
            env={**self.env, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        if typed:
            os.write(ours, typed)
        shown = bytearray()
        while time.monotonic() < begun + timeout:
            if not select.select([ours], [], [], 0.1)[0]:
                if process.poll() is not None:
                    break
                continue
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other side of a terminal is gone: Linux says so by an error
                break
            if not piece:
                break
            shown += piece
        os.close(ours)
        code = process.wait(max(0.1, begun + timeout - time.monotonic()))
        return Result(code, bytes(shown), b"", time.monotonic() - begun)


class Running:
    """A run that is not over. Ends the process with the test, whatever happens."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def read_until(self, text: bytes, seconds: float = SECONDS) -> bytes:
        """Standard output up to and with `text`; raises TimeoutError."""
        assert self.process.stdout is not None
        return _read_until(self.process.stdout, text, seconds)

    def error_until(self, text: bytes, seconds: float = SECONDS) -> bytes:
        """The same of standard error."""
        assert self.process.stderr is not None
        return _read_until(self.process.stderr, text, seconds)

    def signal(self, number: signal.Signals = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def end(
        self, given: bytes | None = None, timeout: float = SECONDS, begun: float | None = None
    ) -> Result:
        """Wait for the end; what was read before is not in the result."""
        begun = time.monotonic() if begun is None else begun
        try:
            stdout, stderr = self.process.communicate(given, timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            stdout, stderr = self.process.communicate()
            raise AssertionError(
                f"llmctl did not end within {timeout} s\n{stdout[-500:]!r}\n{stderr[-500:]!r}"
            ) from None
        return Result(
            self.process.returncode, stdout or b"", stderr or b"", time.monotonic() - begun
        )

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        with suppress(ValueError, OSError):
            self.process.communicate()


def _read_until(stream: IO[bytes], text: bytes, seconds: float) -> bytes:
    data = b""
    end = time.monotonic() + seconds
    while text not in data:
        if not select.select([stream], [], [], max(0.0, end - time.monotonic()))[0]:
            raise TimeoutError(f"{text!r} did not come; {data[-200:]!r} did")
        piece = os.read(stream.fileno(), 65536)
        if not piece:
            raise TimeoutError(f"it ended before {text!r}; {data[-200:]!r} came")
        data += piece
    return data
