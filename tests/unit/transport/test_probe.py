"""A server is looked for on this machine only, and nothing is sent to it."""

import socket

import pytest

from llmctl.transport.probe import is_loopback, listens


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:11434", True),
        ("http://localhost:8080/v1", True),
        ("http://[::1]:1", True),
        ("https://127.255.0.3", True),
        ("http://192.168.1.2:11434", False),
        ("http://localhost.example.test", False),
        ("http://127.0.0.1.example.test", False),
        ("http://127.0.0.1%x.example.test", False),
        ("http://0.0.0.0", False),
        ("http://[::", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_a_listening_port_is_found_and_hears_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        assert listens(f"http://127.0.0.1:{listening.getsockname()[1]}/v1")

        heard, _address = listening.accept()
        with heard:
            assert heard.recv(10) == b""


def test_a_port_where_nobody_listens_is_not() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert not listens(f"http://127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://127.0.0.1:no", "http://[::"])
def test_an_address_that_is_none_has_no_server(url: str) -> None:
    assert listens(url) is False


def test_another_machine_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "create_connection", lambda *one, **_how: asked.append(one))

    assert not listens("http://192.0.2.1:11434")
    assert not listens("http://example.test")
    assert asked == []
