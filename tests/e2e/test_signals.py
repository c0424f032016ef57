"""Ctrl-C and SIGTERM at each stage of a run: the code, the socket, and what had come."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e import fronts
from tests.e2e.harness import Llmctl, Result, Running
from tests.e2e.table import BOTH, last
from tests.simulator import Simulator
from tests.simulator.faults import HALF

pytestmark = pytest.mark.usefixtures("warm")

SIGNALS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
AT_ONCE = 1.5  # seconds; nothing below waits that long by itself

with_signals = pytest.mark.parametrize(("number", "code", "word"), SIGNALS, ids=["int", "term"])
with_providers = pytest.mark.parametrize("provider", BOTH)


def stop(running: Running, number: signal.Signals) -> Result:
    begun = time.monotonic()
    running.signal(number)
    result = running.end(timeout=20)

    assert time.monotonic() - begun < AT_ONCE
    return result


@with_signals
@with_providers
def test_while_the_head_is_awaited(
    llmctl: Llmctl, sim: Simulator, provider: str, number: signal.Signals, code: int, word: str
) -> None:
    with llmctl.start("-m", f"{provider}/mock-fault-no-head", "hi") as running:
        request = sim.wait_for()[0]
        result = stop(running, number)

    assert (result.code, result.out) == (code, "")
    assert result.err.splitlines()[0] == f"llmctl: {word}"
    assert "Traceback" not in result.err
    assert request.disconnected.wait(1)
    assert len(sim.calls) == 1


@with_signals
@with_providers
def test_in_the_middle_of_the_answer(
    llmctl: Llmctl, sim: Simulator, provider: str, number: signal.Signals, code: int, word: str
) -> None:
    """The model's server hears of it at once; what came is on standard output and in the ledger."""
    with llmctl.start("-m", f"{provider}/mock-fault-silence", "hi") as running:
        shown = running.read_until(HALF.encode())
        result = stop(running, number)

    assert sim.calls[0].disconnected.wait(1)
    assert shown + result.stdout == HALF.encode() + b"\n"
    assert result.code == code
    assert result.err.splitlines()[0] == f"llmctl: {word}"
    kept = last(llmctl)
    assert kept.text == HALF
    assert kept.error is not None
    assert kept.error.code == word


@with_signals
@with_providers
def test_while_another_try_is_awaited(
    llmctl: Llmctl, sim: Simulator, provider: str, number: signal.Signals, code: int, word: str
) -> None:
    how = {"LLMCTL_NETWORK__MAX_WAIT": "100000"}
    with llmctl.start("-m", f"{provider}/mock-fault-rate-day", "hi", env=how) as running:
        announced = running.error_until(b"Trying again in 86400.0 s")
        result = stop(running, number)

    assert b"Rate limit reached" in announced
    assert (result.code, result.out) == (code, "")
    assert len(sim.calls) == 1


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's list of connections")
@with_signals
def test_before_the_connection_stands(
    llmctl: Llmctl, sim: Simulator, number: signal.Signals, code: int, word: str
) -> None:
    with deaf() as port:
        how = {"LLMCTL_PROVIDERS__OPENAI__BASE_URL": f"http://127.0.0.1:{port}/v1"}
        with llmctl.start("-m", "openai/mock", "hi", env=how) as running:
            until_connecting(port)
            result = stop(running, number)

    assert (result.code, result.out) == (code, "")
    assert result.err.splitlines()[0] == f"llmctl: {word}"


@contextmanager
def deaf() -> Iterator[int]:
    """A port whose queue is full: what connects to it waits."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            yield port


def until_connecting(port: int) -> None:
    """Until somebody's connection to the port is being made (state 02, SYN_SENT)."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _number, _here, there, state, *_more = line.split()
            if state == "02" and there.endswith(f":{port:04X}"):
                return
        time.sleep(0.01)
    raise TimeoutError("nobody connects")


@with_signals
def test_while_the_connection_is_being_secured(
    llmctl: Llmctl, sim: Simulator, number: signal.Signals, code: int, word: str
) -> None:
    with fronts.mute() as server:
        how = {"LLMCTL_PROVIDERS__OPENAI__BASE_URL": f"https://127.0.0.1:{server.port}/v1"}
        with llmctl.start("-m", "openai/mock", "hi", env=how) as running:
            assert server.met.wait(10)
            result = stop(running, number)
        assert server.left.wait(1)

    assert (result.code, result.out) == (code, "")
    assert "Traceback" not in result.err


def test_while_standard_input_is_read(llmctl: Llmctl, sim: Simulator) -> None:
    with llmctl.start("-m", "openai/mock", "hi", stdin=b"") as running:
        running.error_until(b"Waiting for the end of standard input")
        result = stop(running, signal.SIGINT)

    assert (result.code, result.out) == (130, "")
    assert sim.requests == []


@with_providers
def test_the_envelope_of_an_interrupted_run(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    with llmctl.start("-m", f"{provider}/mock-fault-endless", "--json", "hi") as running:
        request = sim.wait_for()[0]
        time.sleep(0.2)  # some of the answer comes
        result = stop(running, signal.SIGINT)

    assert result.code == 130
    document = result.json
    assert document["error"]["code"] == "interrupted"
    assert document["text"].startswith("red light.")
    assert request.disconnected.wait(1)
