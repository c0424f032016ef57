"""The split of a call's time, against a server with known delays.

No delay is below 100 ms. A part is never shorter than the delay put into it, whatever the machine
does; it may be longer, but by less than half of the shortest delay put into another part, so that a
delay that is counted under the wrong name fails.
"""

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.e2e.harness import GIGACHAT_KEY, Llmctl
from tests.slow import Delays, Slow, slow

pytestmark = pytest.mark.usefixtures("warm")

# Half a delay: a busy machine may take as long for what is no delay of the server's.
SLACK = 0.2
# Sleeps end no earlier than asked for, but two clocks read in two processes may round.
ROUNDING = 0.0005


def near(measured: float | None, delay: float) -> bool:
    return measured is not None and delay - ROUNDING <= measured < delay + SLACK


@pytest.fixture
def secured(tmp_path: Path, llmctl: Llmctl) -> ssl.SSLContext:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    llmctl.env["LLMCTL_NETWORK__CA_FILE"] = str(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "slow.example.test").configure_cert(context)
    return context


def latency(llmctl: Llmctl, server: Slow, *flags: str, host: str = "127.0.0.1") -> Any:
    url = server.url().replace("127.0.0.1", host)
    llmctl.env["LLMCTL_PROVIDERS__OPENAI__BASE_URL"] = url
    result = llmctl.run("-m", "openai/mock", "hello there", "--json", *flags)
    assert result.code == 0, result.err
    return result.json["latency"]


def test_the_parts_of_a_stream(llmctl: Llmctl, secured: ssl.SSLContext) -> None:
    delays = Delays(connect=0.4, head=0.5, first=0.45, between=0.1, tokens=6)
    with slow(delays, secured) as server:
        found = latency(llmctl, server)

    assert near(found["connect_s"], 0.4)
    assert not found["reused"]
    assert near(found["first_byte_s"], 0.4 + 0.5)
    assert near(found["ttft_s"], 0.4 + 0.5 + 0.45)
    assert near(found["total_s"], 0.4 + 0.5 + 0.45 + 5 * 0.1)
    assert 5 < found["output_tokens_per_s"] < 10 / 0.9  # ten at most, but for a late first one
    assert found["waited_s"] < SLACK
    assert (found["load_s"], found["auth_s"], found["server"]) == (None, None, None)


def test_the_parts_of_an_answer_in_one_piece(llmctl: Llmctl, secured: ssl.SSLContext) -> None:
    delays = Delays(connect=0.4, head=0.5)
    with slow(delays, secured) as server:
        found = latency(llmctl, server, "--no-stream")

    assert near(found["connect_s"], 0.4)
    assert near(found["first_byte_s"], 0.4 + 0.5)
    assert near(found["total_s"], 0.4 + 0.5)
    assert (found["ttft_s"], found["output_tokens_per_s"]) == (None, None)


def test_what_a_try_that_was_refused_costs_stands_apart(llmctl: Llmctl) -> None:
    """And the second one goes over the connection of the first."""
    with slow(Delays(head=0.5, busy=1, retry_after=0.6)) as server:
        found = latency(llmctl, server)

    assert near(found["waited_s"], 0.6)
    assert near(found["first_byte_s"], 0.5)
    assert near(found["total_s"], 0.5)
    assert (found["connect_s"], found["reused"]) == (None, True)


def test_fetching_a_token_stands_apart(llmctl: Llmctl) -> None:
    with slow(Delays(token=0.6, head=0.4)) as server:
        llmctl.env["LLMCTL_PROVIDERS__GIGACHAT__BASE_URL"] = server.url()
        llmctl.env["LLMCTL_PROVIDERS__GIGACHAT__AUTH_URL"] = server.url("/oauth")
        llmctl.env["GIGACHAT_CREDENTIALS"] = GIGACHAT_KEY
        first = llmctl.run("-m", "gigachat/GigaChat-2", "hello there", "--json")
        second = llmctl.run("-m", "gigachat/GigaChat-2", "hello there", "--json")

    assert first.code == second.code == 0, first.err
    assert server.targets.count("/oauth") == 1
    found, kept = first.json["latency"], second.json["latency"]
    assert near(found["auth_s"], 0.6)
    assert near(found["first_byte_s"], 0.4)
    assert near(found["total_s"], 0.4)
    assert found["waited_s"] < SLACK
    assert kept["auth_s"] < SLACK


def test_a_proxys_consent_is_part_of_connecting(llmctl: Llmctl, secured: ssl.SSLContext) -> None:
    with slow(Delays(head=0.4), secured) as server, slow(Delays(connect=0.5)) as proxy:
        llmctl.env["LLMCTL_PROVIDERS__OPENAI__PROXY"] = f"http://127.0.0.1:{proxy.port}"
        found = latency(llmctl, server, host="slow.example.test")

    assert proxy.targets == [f"slow.example.test:{server.port}"]
    assert near(found["connect_s"], 0.5)
    assert near(found["first_byte_s"], 0.5 + 0.4)


def test_loading_a_model_is_told_by_the_server(llmctl: Llmctl) -> None:
    with slow(Delays(load=0.6, head=0.4, between=0.1)) as server:
        llmctl.env["LLMCTL_PROVIDERS__OLLAMA__BASE_URL"] = server.url("")
        result = llmctl.run("-m", "ollama/slow", "hello there", "--json")

    assert result.code == 0, result.err
    found = result.json["latency"]
    assert found["load_s"] == 0.6
    assert near(found["first_byte_s"], 0.6 + 0.4)
    assert found["server"] == {"prompt_s": 0.4, "output_s": 0.4}
    assert 5 < found["output_tokens_per_s"] < 10 / 0.9
