"""`llmctl doctor`: the layer that fails is named, and its exit code is the program's."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme

from tests.e2e.harness import KEY, Llmctl, Result
from tests.simulator import Simulator

BASE_URL = "LLMCTL_PROVIDERS__OPENAI__BASE_URL"


def states(result: Result) -> dict[str, str]:
    return {one["layer"]: one["state"] for one in result.json["checks"]}


@contextmanager
def tls_server() -> Iterator[int]:
    """A port of this machine that speaks TLS with a certificate nobody has reason to trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                wire, _address = server.accept()
            except OSError:
                return
            try:
                context.wrap_socket(wire, server_side=True).close()
            except OSError:
                wire.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@contextmanager
def refusing_proxy() -> Iterator[int]:
    """A proxy that lets nobody through."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                wire, _address = server.accept()
            except OSError:
                return
            with wire:
                wire.recv(4096)
                wire.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_without_a_provider_it_says_what_there_is(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("doctor")

    assert (result.code, result.err, sim.requests) == (0, "", [])
    assert str(llmctl.config) in result.out
    assert "OPENAI_API_KEY" in result.out
    assert sim.url in result.out
    assert KEY not in result.out


def test_nothing_is_sent_without_live(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("doctor", "openai", "--json")

    assert (result.code, sim.requests, result.json["failed"]) == (0, [], None)
    names = ["card", "address", "certificates", "policy", "key"]
    assert states(result) == dict.fromkeys(names, "ok")


@pytest.mark.parametrize(
    ("environment", "layer", "code"),
    [
        ({"OPENAI_API_KEY": None, BASE_URL: None}, "key", 6),
        ({"LLMCTL_POLICY__DENY": '["openai"]'}, "policy", 4),
        ({"LLMCTL_PROVIDERS__OPENAI__CA_FILE": "/nowhere/ca.pem"}, "certificates", 3),
    ],
)
def test_layers_that_can_be_seen_offline(
    llmctl: Llmctl, sim: Simulator, environment: dict[str, str | None], layer: str, code: int
) -> None:
    result = llmctl.run("doctor", "openai", "--json", "--live", env=environment)

    assert (result.code, result.json["failed"], sim.requests) == (code, layer, [])
    assert "hint:" in result.err


@pytest.mark.parametrize(
    ("model", "layer", "code"),
    [
        ("mock-fault-key-echo", "auth", 6),
        ("mock-fault-quota", "quota", 8),
        ("mock-fault-no-model", "model", 7),
        ("mock-fault-500-forever", "answer", 10),
        ("mock-fault-html", "answer", 10),
    ],
)
def test_layers_of_an_answer(
    llmctl: Llmctl, sim: Simulator, model: str, layer: str, code: int
) -> None:
    result = llmctl.run("doctor", "openai", "--live", "-m", f"openai/{model}", "--json")

    assert (result.code, result.json["failed"], len(sim.calls)) == (code, layer, 1)
    found = states(result)
    order = list(found)
    # A fault of the server says nothing of the key, the quota and the model.
    unproved = {"auth", "quota", "model"} if layer == "answer" else set()
    for one in order[: order.index(layer)]:
        assert found[one] == ("unknown" if one in unproved else "ok"), one
    assert all(found[one] == "skipped" for one in order[order.index(layer) + 1 :])
    assert KEY not in result.out + result.err


def test_live_states_the_price_first_and_names_every_layer(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("doctor", "openai", "--live")

    assert result.code == 0
    assert "billed by the provider" in result.err
    assert all(one.json["max_completion_tokens"] <= 256 for one in sim.calls)
    shown = [line.split()[:2] for line in result.out.splitlines()]
    for layer in ("proxy", "dns", "tcp", "tls", "auth", "quota", "model", "answer"):
        assert ["ok", layer] in shown
    free = llmctl.run("doctor", "ollama", "--live", "-m", "ollama/mock")
    assert free.code == 0
    assert "free" in free.err

    which = llmctl.run("doctor", "ollama", "--live")
    assert which.code == 2
    assert "-m ollama/" in which.err


def test_a_name_that_does_not_exist_is_dns(llmctl: Llmctl) -> None:
    url = "http://nowhere.invalid/v1"  # RFC 6761: never a host
    result = llmctl.run("doctor", "openai", "--live", "--json", env={BASE_URL: url})

    assert (result.code, result.json["failed"]) == (9, "dns")


def test_a_port_that_nobody_serves_is_tcp(llmctl: Llmctl) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    result = llmctl.run("doctor", "openai", "--live", "--json", env={BASE_URL: url})

    assert (result.code, result.json["failed"]) == (9, "tcp")
    assert states(result)["tls"] == "skipped"


def test_a_certificate_without_trust_is_tls(llmctl: Llmctl) -> None:
    with tls_server() as port:
        url = f"https://127.0.0.1:{port}/v1"
        result = llmctl.run("doctor", "openai", "--live", "--json", env={BASE_URL: url})

    assert (result.code, result.json["failed"]) == (9, "tls")
    assert "ca_file" in result.err


def test_a_proxy_that_refuses_is_proxy(llmctl: Llmctl) -> None:
    with refusing_proxy() as port:
        around = {BASE_URL: "https://api.example.com/v1", "HTTPS_PROXY": f"http://127.0.0.1:{port}"}
        result = llmctl.run("doctor", "openai", "--live", "--json", env=around)

    assert (result.code, result.json["failed"]) == (9, "proxy")
    assert "HTTPS_PROXY" in result.err


def test_an_unknown_provider_has_neighbours(llmctl: Llmctl) -> None:
    result = llmctl.run("doctor", "opnai")

    assert result.code == 7
    assert "openai" in result.err
