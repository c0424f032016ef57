"""Which proxy an address goes through; environment and no_proxy as curl(1) documents them."""

import secrets
from urllib.parse import urlsplit

import pytest

from llmctl.errors import ConfigError
from llmctl.transport.proxy import Proxy, bypassed, parse_proxy, proxy_for

API = "https://api.example.test/v1"


@pytest.mark.parametrize(
    ("environ", "url", "expected"),
    [
        ({}, API, None),
        ({"https_proxy": "http://p:3128"}, API, "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128"}, API, "http://p:3128"),
        ({"http_proxy": "http://p:3128"}, API, None),
        ({"HTTP_PROXY": "http://p:3128"}, "http://api.example.test", "http://p:3128"),
        ({"https_proxy": "http://p:3128"}, "http://api.example.test", None),
        ({"all_proxy": "socks5://p"}, API, "socks5://p:1080"),
        ({"ALL_PROXY": "socks5h://p:9050"}, "http://api.example.test", "socks5h://p:9050"),
        ({"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:2"}, API, "http://low:1"),
        ({"https_proxy": "http://own:1", "all_proxy": "http://all:2"}, API, "http://own:1"),
        ({"https_proxy": "", "HTTPS_PROXY": "  "}, API, None),
        ({"https_proxy": " p:3128 "}, API, "http://p:3128"),
        ({"https_proxy": "http://p:1", "no_proxy": "example.test"}, API, None),
        ({"https_proxy": "http://p:1", "NO_PROXY": "*"}, API, None),
        ({"https_proxy": "http://p:1", "no_proxy": "example.org"}, API, "http://p:1"),
        ({"http_proxy": "http://p:1", "all_proxy": "http://p:2"}, "http://localhost:8080", None),
        ({"all_proxy": "http://p:1"}, "http://127.0.0.1:11434", None),
        ({"all_proxy": "http://p:1"}, "http://[::1]:11434", None),
    ],
)
def test_the_environment_chooses(environ: dict[str, str], url: str, expected: str | None) -> None:
    found = proxy_for(url, None, environ)

    assert (None if found is None else str(found)) == expected


@pytest.mark.parametrize("none", ["none", "None", " NONE "])
def test_the_providers_own_none_goes_direct(none: str) -> None:
    assert proxy_for(API, none, {"https_proxy": "http://p:1"}) is None


def test_the_providers_own_proxy_beats_the_environment_and_no_proxy() -> None:
    environ = {"https_proxy": "http://p:1", "no_proxy": "*"}

    assert str(proxy_for(API, "socks://own:7", environ)) == "socks5h://own:7"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1/v1", "http://[::1]:2"]
)
def test_this_machine_is_never_reached_through_another(url: str) -> None:
    assert proxy_for(url, "http://own:7", {"all_proxy": "http://p:1"}) is None


def test_an_empty_setting_leaves_it_to_the_environment() -> None:
    assert str(proxy_for(API, " ", {"https_proxy": "http://p:1"})) == "http://p:1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://p:3128", Proxy("http", "p", 3128)),
        ("http://p", Proxy("http", "p", 80)),
        ("https://p", Proxy("https", "p", 443)),
        ("p:3128", Proxy("http", "p", 3128)),
        ("p", Proxy("http", "p", 80)),
        ("socks5://p", Proxy("socks5", "p", 1080)),
        ("socks5h://p:9050/", Proxy("socks5h", "p", 9050)),
        ("socks://p", Proxy("socks5h", "p", 1080)),
        ("SOCKS5://P", Proxy("socks5", "p", 1080)),
        ("http://[2001:db8::1]:3128", Proxy("http", "2001:db8::1", 3128)),
        ("http://пример.test:1", Proxy("http", "xn--e1afmkfd.test", 1)),
        ("http://me@p:1", Proxy("http", "p", 1, "me")),
        ("http://me:s%40%2Fx%3A@p:1", Proxy("http", "p", 1, "me", "s@/x:")),
        ("http://me:@p:1", Proxy("http", "p", 1, "me", "")),
        ("me:pass@p:1", Proxy("http", "p", 1, "me", "pass")),
    ],
)
def test_forms_of_a_proxy(text: str, expected: Proxy) -> None:
    assert parse_proxy(text, "proxy") == expected


@pytest.mark.parametrize(
    "form",
    [
        "ftp://me:{}@p:1",
        "socks4://me:{}@p:1",
        "http://me:{}@p:port",
        "http://me:{}@p:99999",
        "http://me:{}@",
        "http://me:{}@[::1",
        "http://me:{}/x@p:1",
        "http://me:1/{}@p:1",
        "http://me:1?{}@p:1",
        "http://me:1#{}@p:1",
        "://{}",
        "http://",
    ],
)
def test_what_is_no_proxy_names_its_source_and_never_the_password(form: str) -> None:
    password = secrets.token_hex(12)
    with pytest.raises(ConfigError) as caught:
        proxy_for(API, None, {"HTTPS_PROXY": form.format(password)})

    assert "HTTPS_PROXY" in caught.value.message
    assert "socks5h://" in (caught.value.hint or "")
    assert password not in f"{caught.value.message}{caught.value.hint}"
    assert caught.value.__suppress_context__


def test_the_password_is_not_shown() -> None:
    password = secrets.token_hex(12)
    proxy = parse_proxy(f"http://me:{password}@p:1", "proxy")

    assert proxy.password == password
    assert password not in f"{proxy} {proxy!r}"
    assert str(proxy) == "http://p:1"
    assert str(parse_proxy("[2001:db8::1]:8080", "proxy")) == "http://[2001:db8::1]:8080"


@pytest.mark.parametrize(
    ("rules", "url", "expected"),
    [
        ("api.example.test", API, True),
        ("API.Example.TEST", API, True),
        ("example.test", API, True),
        (".example.test", API, True),
        ("*.example.test", API, True),
        ("example.test.", API, True),
        ("test", API, True),
        ("ample.test", API, False),
        ("api.example.test.org", API, False),
        ("other.test", API, False),
        ("", API, False),
        (",, ,", API, False),
        (".", API, False),
        ("*", API, True),
        ("other.test, example.test", API, True),
        ("other.test example.test", API, True),
        ("example.test", "https://api.example.test./v1", True),
        ("example.test:443", API, True),
        ("example.test:80", API, False),
        ("example.test:8443", "https://api.example.test:8443", True),
        ("example.test:80", "http://example.test", True),
        ("*:8443", "https://api.example.test:8443", True),
        ("*:8443", API, False),
        ("192.0.2.7", "http://192.0.2.7:8000", True),
        ("192.0.2.0/24", "http://192.0.2.7:8000", True),
        ("192.0.2.9/24", "http://192.0.2.7:8000", True),
        ("192.0.2.0/30", "http://192.0.2.7:8000", False),
        ("192.0.2.0/24:8000", "http://192.0.2.7:8000", True),
        ("192.0.2.0/24:8001", "http://192.0.2.7:8000", False),
        ("192.0.2.7:8000", "http://192.0.2.7:8000", True),
        ("92.0.2.7", "http://192.0.2.7", False),
        ("2001:db8::5", "http://[2001:db8::5]:1", True),
        ("2001:DB8:0::5", "http://[2001:db8::5]:1", True),
        ("[2001:db8::5]", "http://[2001:db8::5]:1", True),
        ("[2001:db8:0::5]:1", "http://[2001:db8::5]:1", True),
        ("[2001:db8::5]:2", "http://[2001:db8::5]:1", False),
        ("2001:db8::/32", "http://[2001:db8::5]:1", True),
        ("2001:db9::/32", "http://[2001:db8::5]:1", False),
    ],
)
def test_no_proxy(rules: str, url: str, expected: bool) -> None:
    assert bypassed(urlsplit(url), rules) is expected


def test_what_a_cloud_tells_a_machine_of_itself_is_asked_for_directly() -> None:
    url = "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token"

    assert proxy_for(url, None, {"http_proxy": "http://p:1"}) is None
    assert proxy_for(url, "socks5h://p:1", {}) is None
