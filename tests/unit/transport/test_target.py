"""Addresses: how a call's is put together, which cannot be right, and what is shown of them."""

import secrets

import pytest

from llmctl.errors import ConfigError, ProviderFailed
from llmctl.transport.target import Target


def at(base_url: str) -> Target:
    return Target(provider="acme", base_url=base_url)


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("https://a.test/v1", "chat/completions", "https://a.test/v1/chat/completions"),
        ("https://a.test/v1/", "/chat", "https://a.test/v1/chat"),
        ("https://a.test", "chat", "https://a.test/chat"),
        ("https://a.test/v1?api-version=7", "chat", "https://a.test/v1/chat?api-version=7"),
        ("https://a.test/v1?a=1", "m:stream?alt=sse", "https://a.test/v1/m:stream?a=1&alt=sse"),
        ("https://a.test/v1", "m?alt=sse", "https://a.test/v1/m?alt=sse"),
        ("https://a.test/token", "", "https://a.test/token"),
        ("https://a.test/v1", "../together/v1/x", "https://a.test/together/v1/x"),
        ("https://a.test/p/v1/", "../x", "https://a.test/p/x"),
        ("https://a.test/v1", "../", "https://a.test/"),
        ("https://a.test", "../", "https://a.test/"),
        ("https://a.test", "../../x", "https://a.test/x"),
        ("https://a.test/v1?k=1", "../", "https://a.test/?k=1"),
        ("llama:///models/a b?.gguf", "chat/completions", "llama://local/chat/completions"),
    ],
)
def test_a_calls_address(base: str, path: str, expected: str) -> None:
    assert at(base).url(path) == expected


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("https://api.a.test/v1", "api.a.test"),
        ("http://127.0.0.1:8080/v1", "127.0.0.1:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_the_host_as_people_know_it(base: str, host: str) -> None:
    assert at(base).host == host


def test_the_embedded_model_is_a_file() -> None:
    assert at("llama:///models/x.gguf").weights == "/models/x.gguf"
    assert at("https://a.test").weights is None
    at("llama:///odd://user:pass@[").check()  # a path may be anything


@pytest.mark.parametrize("base", ["http://a.test", "https://a.test:8443/v1?x=1", "HTTP://[::1]:1"])
def test_what_can_be_right_passes(base: str) -> None:
    at(base).check()


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("", "must begin with http:// or https://"),
        ("api.a.test/v1", "must begin with http:// or https://"),
        ("ftp://a.test", "must begin with http:// or https://"),
        ("file:///etc/passwd", "must begin with http:// or https://"),
        ("https://", "names no host"),
        ("https:///v1", "names no host"),
        ("https://a.test:99999", "is not an address"),
        ("https://a.test:http", "is not an address"),
        ("https://[::1", "is not an address"),
    ],
)
def test_what_cannot_be_right_names_its_setting(base: str, words: str) -> None:
    with pytest.raises(ConfigError, match=r"providers\.acme\.base_url") as caught:
        at(base).check()

    assert words in caught.value.message
    assert "llmctl config set providers.acme.base_url" in (caught.value.hint or "")


def test_a_further_address_takes_the_place_of_the_base() -> None:
    target = Target(
        provider="acme",
        base_url="https://a.test/v1?version=2",
        urls={"operations_url": "https://operations.test/"},
    )

    assert target.url("operations/7", "operations_url") == "https://operations.test/operations/7"
    assert target.url("chat") == "https://a.test/v1/chat?version=2"


@pytest.mark.parametrize("form", ["https://me:{}@a.test", "https://{}@a.test", "ftp://x:{}@a.test"])
def test_a_password_in_an_address_is_refused_and_not_shown(form: str) -> None:
    password = secrets.token_hex(12)
    with pytest.raises(ConfigError) as caught:
        at(form.format(password)).check()

    assert "keys do not belong into addresses" in caught.value.message
    assert "llmctl keys set acme" in (caught.value.hint or "")
    assert password not in f"{caught.value.message}{caught.value.hint}"
    assert password not in at(form.format(password)).host


def test_neither_key_nor_proxy_is_in_the_repr() -> None:
    key = secrets.token_hex(12)
    shown = repr(
        Target(
            provider="acme",
            base_url="https://a.test",
            headers={"Authorization": f"Bearer {key}"},
            proxy=f"http://me:{key}@proxy.test",
        )
    )

    assert key not in shown
    assert "a.test" in shown


# ------------------------------------------------------------- addresses that a server names itself

HOME = Target(provider="acme", base_url="https://api.example.com/v1?api-version=7")


@pytest.mark.parametrize(
    "address",
    [
        "https://api.example.com/upload?upload_id=1",
        "https://api.example.com:443/upload",
        "https://API.EXAMPLE.COM/upload",
    ],
)
def test_an_address_on_the_same_host_is_taken_as_it_stands(address: str) -> None:
    assert HOME.url(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/upload",
        "https://api.example.com.evil.example/upload",
        "https://api.example.com@evil.example/upload",
        "https://me@api.example.com/upload",
        "https://api.example.com:8443/upload",
        "http://api.example.com/upload",
        "https:///upload",
        "https://[::1/upload",
        "https://api.example.com:port/upload",
        "https://evil.example\\@api.example.com/upload",
    ],
)
def test_no_key_goes_to_an_address_elsewhere(address: str) -> None:
    with pytest.raises(ProviderFailed, match="follows no redirect") as caught:
        HOME.url(address)

    assert (caught.value.reason, caught.value.retryable) == ("redirect", False)


def test_a_name_with_an_address_in_it_is_a_path() -> None:
    assert HOME.url("models/https://x").startswith("https://api.example.com/v1/models/")
