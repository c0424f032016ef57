"""Redirects of downloads, and what a host says of a file."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from llmctl.errors import LlmctlError, ProviderFailed, RateLimited
from llmctl.transport.dial import Dialling
from llmctl.transport.download import Remote, Source

HOW = Dialling(provider="hub")
URL = "https://hub.example/org/file"
KEY = {"Authorization": "Bearer " + "k" * 8}


def source(answer: Callable[[httpx.Request], httpx.Response]) -> Source:
    return Source(URL, HOW, KEY, transport=httpx.MockTransport(answer))


def looked(answer: Callable[[httpx.Request], httpx.Response]) -> Remote:
    return asyncio.run(source(answer).look())


def test_the_key_stays_with_its_host_and_returns_with_it() -> None:
    seen: list[tuple[str, bool]] = []
    hops = {
        "https://hub.example/org/file": "https://cdn.example/a",
        "https://cdn.example/a": "https://hub.example/b",
        "https://hub.example/b": "/c",
    }

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), "authorization" in request.headers))
        if goal := hops.get(str(request.url)):
            return httpx.Response(302, headers={"location": goal})
        return httpx.Response(200, headers={"content-length": "7"})

    assert looked(answer).size == 7
    assert seen == [
        ("https://hub.example/org/file", True),
        ("https://cdn.example/a", False),
        ("https://hub.example/b", True),
        ("https://hub.example/c", True),
    ]


@pytest.mark.parametrize("goal", ["http://hub.example/file", "http://cdn.example/", "file:///etc"])
def test_no_redirect_leads_out_of_tls(goal: str) -> None:
    with pytest.raises(ProviderFailed) as caught:
        looked(lambda _request: httpx.Response(302, headers={"location": goal}))
    assert caught.value.reason == "redirect"


def test_redirects_have_an_end() -> None:
    count = 0

    def answer(_request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return httpx.Response(302, headers={"location": URL})

    with pytest.raises(LlmctlError):
        looked(answer)
    assert count == 9  # the request itself and eight redirects


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, Remote()),
        ({"etag": '"abc"', "content-length": "5"}, Remote(size=5)),
        ({"x-linked-etag": f'"{"a1" * 32}"', "x-linked-size": "9", "x-repo-commit": "f00"},
         Remote(size=9, sha256="a1" * 32, revision="f00")),
        ({"etag": f'W/"{"b2" * 32}"'}, Remote(sha256="b2" * 32)),
        ({"x-linked-size": "much"}, Remote()),
    ],
)  # fmt: skip
def test_what_the_headers_say(headers: dict[str, str], expected: Remote) -> None:
    assert looked(lambda _request: httpx.Response(200, headers=headers)) == expected


def test_a_part_that_is_whole_already_stays(tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"12345")
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("range"))
        return httpx.Response(416)

    asyncio.run(source(answer).fetch(part, lambda _done: None))
    assert asked == ["bytes=5-"]
    assert part.read_bytes() == b"12345"


def test_too_many_requests_are_said_to_be_that() -> None:
    with pytest.raises(RateLimited):
        looked(lambda _request: httpx.Response(429))
