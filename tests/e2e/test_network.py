"""The way to the server: names, refusals, certificates, redirects, proxies."""

import base64
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.e2e import fronts
from tests.e2e.harness import KEY, Llmctl, Result
from tests.e2e.table import BOTH, OLLAMA, OPENAI, last
from tests.simulator import Simulator
from tests.simulator.answers import TEXT

pytestmark = pytest.mark.usefixtures("warm")

# RFC 6761 and RFC 5737: a name and an address that lead nowhere.
NOWHERE = "sim.invalid"
ADDRESS = "192.0.2.1"
PROMPT = "the prompt nobody else may see"
PASSWORD = "".join(reversed("drowssap-terces"))


def ask(llmctl: Llmctl, provider: str, base_url: str, *flags: str, **how: str) -> Result:
    """One prompt to a provider whose dialect is `provider`'s and whose address is `base_url`."""
    named = base_url + ("/v1" if provider == OPENAI else "")
    own = {f"LLMCTL_PROVIDERS__{provider.upper()}__BASE_URL": named}
    return llmctl.run("-m", f"{provider}/mock", *flags, PROMPT, env=own | how)


def answered(result: Result) -> bool:
    return (result.code, result.out) == (0, TEXT + "\n")


# ------------------------------------------------------------------------------- names, refusals


@pytest.mark.parametrize("provider", BOTH)
def test_nobody_listens(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    result = ask(llmctl, provider, f"http://127.0.0.1:{port}")

    assert (result.code, result.out) == (9, "")
    assert f"127.0.0.1:{port}" in result.err
    assert "refused" in result.err
    assert f"llmctl doctor {provider}" in result.err
    assert "Trying again" not in result.err, "a server that is not started does not start by that"
    error = last(llmctl).error
    assert error
    assert (error.code, error.reason) == ("network", "connect")


@pytest.mark.parametrize("provider", BOTH)
def test_a_name_that_does_not_exist(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    result = ask(llmctl, provider, "https://nosuch.invalid", "--json")

    assert result.code == 9
    assert "nosuch.invalid cannot be looked up" in result.err
    error = result.json["error"]
    assert (error["code"], error["reason"], error["provider"]) == ("network", "dns", provider)
    assert "nosuch.invalid" in error["message"]


def test_three_causes_read_differently(llmctl: Llmctl, sim: Simulator) -> None:
    """Refused, no such name, no TLS: the first lines name three causes."""
    with fronts.mute(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as plain:
        first = [
            ask(llmctl, OPENAI, place).err.splitlines()[0]
            for place in (
                "http://127.0.0.1:1",
                "https://nosuch.invalid",
                f"https://127.0.0.1:{plain.port}",
            )
        ]

    assert "refused" in first[0]
    assert "looked up" in first[1]
    assert "secure connection" in first[2]


# -------------------------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def secure(sim: Simulator, authority: trustme.CA) -> Iterator[fronts.Front]:
    """The simulator behind TLS, with a certificate of an authority that nobody knows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", NOWHERE).configure_cert(context)
    with fronts.tls(sim.port, context) as front:
        yield front


@pytest.mark.parametrize("provider", BOTH)
def test_an_unknown_authority(
    llmctl: Llmctl, sim: Simulator, secure: fronts.Front, provider: str
) -> None:
    """The cause and the way out are named; nothing was sent."""
    result = ask(llmctl, provider, f"https://127.0.0.1:{secure.port}")

    assert (result.code, result.out) == (9, "")
    assert "certificate of 127.0.0.1 is not accepted" in result.err
    assert f"llmctl config set providers.{provider}.ca_file FILE" in result.err
    assert "SSL_CERT_FILE" in result.err
    assert sim.requests == []
    assert secure.connections == 1
    error = last(llmctl).error
    assert error
    assert (error.code, error.reason) == ("network", "tls")


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("named", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "ca_file"])
def test_the_authority_is_named(
    llmctl: Llmctl,
    sim: Simulator,
    secure: fronts.Front,
    ca_file: Path,
    provider: str,
    named: str,
) -> None:
    if named == "ca_file":
        named = f"LLMCTL_PROVIDERS__{provider.upper()}__CA_FILE"

    result = ask(llmctl, provider, f"https://127.0.0.1:{secure.port}", **{named: str(ca_file)})

    assert answered(result), result.err
    assert len(sim.calls) == 1


def test_the_hint_is_a_command_that_works(
    llmctl: Llmctl, sim: Simulator, secure: fronts.Front, ca_file: Path
) -> None:
    done = llmctl.run("config", "set", "providers.openai.ca_file", str(ca_file))

    assert done.code == 0, done.err
    assert answered(ask(llmctl, OPENAI, f"https://127.0.0.1:{secure.port}"))


def test_an_authority_vouches_for_its_names_only(
    llmctl: Llmctl, sim: Simulator, authority: trustme.CA, ca_file: Path
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("other.example").configure_cert(context)
    with fronts.tls(sim.port, context) as front:
        url = f"https://127.0.0.1:{front.port}"
        result = ask(llmctl, OPENAI, url, SSL_CERT_FILE=str(ca_file))

    assert result.code == 9
    assert "another host" in result.err
    assert sim.requests == []


def test_a_file_without_certificates_is_said(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("none here")
    how = {"LLMCTL_PROVIDERS__OPENAI__CA_FILE": str(tmp_path / "ca.pem")}

    result = ask(llmctl, OPENAI, "https://127.0.0.1:1", **how)

    assert result.code == 3
    assert str(tmp_path / "ca.pem") in result.err


# -------------------------------------------------------------------------------------- redirects


@pytest.mark.parametrize("provider", BOTH)
def test_a_redirect_takes_neither_key_nor_prompt_along(
    llmctl: Llmctl, sim: Simulator, provider: str
) -> None:
    with Simulator() as other:
        sim.away = other.url.replace("127.0.0.1", "localhost")
        result = llmctl.run("-m", f"{provider}/mock-fault-redirect", PROMPT)

        assert other.requests == []
    assert (result.code, result.out) == (10, "")
    assert "localhost" in result.err
    assert "redirect" in result.err
    assert len(sim.calls) == 1


# ---------------------------------------------------------------------------------------- proxies


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
@pytest.mark.parametrize("provider", BOTH)
def test_a_proxy_of_the_environment(
    llmctl: Llmctl, sim: Simulator, provider: str, variable: str
) -> None:
    """Plain http goes to the proxy whole; its password goes to it alone."""
    credentials = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    with fronts.http_proxy(sim.port, credentials) as proxy:
        how = {variable: f"http://me:{PASSWORD}@127.0.0.1:{proxy.port}"}
        result = ask(llmctl, provider, f"http://{NOWHERE}", **how)

    assert answered(result), result.err
    assert proxy.seen[0].startswith(f"POST http://{NOWHERE}/")


@pytest.mark.parametrize("provider", BOTH)
def test_https_goes_through_a_tunnel(
    llmctl: Llmctl, sim: Simulator, secure: fronts.Front, ca_file: Path, provider: str
) -> None:
    """The proxy sees where it leads and no more."""
    with fronts.http_proxy(secure.port) as proxy:
        how = {"https_proxy": f"127.0.0.1:{proxy.port}", "SSL_CERT_FILE": str(ca_file)}
        result = ask(llmctl, provider, f"https://{NOWHERE}", **how)

    assert answered(result), result.err
    assert proxy.seen[0].splitlines()[0] == f"CONNECT {NOWHERE}:443 HTTP/1.1"
    assert KEY not in proxy.seen[0]
    assert "Authorization" not in proxy.seen[0]
    assert len(sim.calls) == 1


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(
    ("scheme", "host"),
    # socks5 looks names up here, socks5h and socks:// leave that to the proxy.
    [("socks5", ADDRESS), ("socks5h", NOWHERE), ("socks", NOWHERE)],
)
def test_socks(llmctl: Llmctl, sim: Simulator, provider: str, scheme: str, host: str) -> None:
    with fronts.socks_proxy(sim.port) as proxy:
        how = {"all_proxy": f"{scheme}://127.0.0.1:{proxy.port}/"}
        result = ask(llmctl, provider, f"http://{host}", **how)

    assert answered(result), result.err
    assert proxy.seen == [f"{host}:80"]


def test_socks5_asks_no_proxy_for_a_name(llmctl: Llmctl, sim: Simulator) -> None:
    with fronts.socks_proxy(sim.port) as proxy:
        how = {"all_proxy": f"socks5://127.0.0.1:{proxy.port}"}
        result = ask(llmctl, OPENAI, f"http://{NOWHERE}", **how)

    assert result.code == 9
    assert f"{NOWHERE} cannot be looked up" in result.err
    assert proxy.seen == []


@pytest.mark.parametrize("how", ["no_proxy", "NO_PROXY", "setting"])
def test_past_the_proxy(llmctl: Llmctl, sim: Simulator, how: str) -> None:
    """Without it the proxy would answer; past it the name leads nowhere."""
    away = {"setting": ("LLMCTL_PROVIDERS__OPENAI__PROXY", "none")}
    name, value = away.get(how, (how, "example.com, .invalid"))
    with fronts.http_proxy(sim.port) as proxy:
        variables = {"http_proxy": f"http://127.0.0.1:{proxy.port}", name: value}
        result = ask(llmctl, OPENAI, f"http://{NOWHERE}", **variables)

    assert result.code == 9
    assert f"{NOWHERE} cannot be looked up" in result.err
    assert proxy.connections == 0


@pytest.mark.parametrize("provider", BOTH)
def test_this_machine_needs_no_proxy(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    with fronts.http_proxy(sim.port) as proxy:
        result = ask(llmctl, provider, sim.url, http_proxy=f"http://127.0.0.1:{proxy.port}")

    assert answered(result)
    assert proxy.connections == 0


def test_a_proxy_of_the_settings_does_not_hold_for_this_machine(
    llmctl: Llmctl, sim: Simulator
) -> None:
    """What is said to stay on the device does not pass through another machine."""
    with fronts.http_proxy(sim.port) as proxy:
        how = {"LLMCTL_PROVIDERS__OPENAI__PROXY": f"http://127.0.0.1:{proxy.port}"}
        result = ask(llmctl, OPENAI, sim.url, **how)

    assert answered(result)
    assert proxy.connections == 0


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        ("http://me:{password}@127.0.0.1:1", 9, "proxy http://127.0.0.1:1 did not connect"),
        ("http://me:{password}@127.0.0.1:{port}", 9, "another user or password"),
        ("ftp://me:{password}@127.0.0.1:1", 3, "http_proxy"),
        ("http://me:{password}@127.0.0.1:notaport", 3, "http_proxy"),
        ("socks5h://me:{password}@127.0.0.1:1", 9, "proxy socks5h://127.0.0.1:1"),
    ],
    ids=["nobody there", "refused", "no proxy", "no port", "no socks"],
)
def test_the_password_of_a_proxy_is_never_shown(
    llmctl: Llmctl, sim: Simulator, value: str, code: int, words: str
) -> None:
    with fronts.http_proxy(sim.port, "somebody else") as proxy:
        how = {
            "http_proxy": value.format(password=PASSWORD, port=proxy.port),
            "LLMCTL_NETWORK__RETRIES": "0",
        }
        result = ask(llmctl, OPENAI, f"http://{NOWHERE}", "-v", "--json", **how)

    assert result.code == code
    assert words in result.err
    shown = result.stdout + result.stderr
    kept = b"".join(path.read_bytes() for path in llmctl.data.glob("*"))
    for form in (PASSWORD.encode(), base64.b64encode(f"me:{PASSWORD}".encode())):
        assert form not in shown
        assert form not in kept
    assert sim.requests == []


@pytest.mark.parametrize("provider", [OPENAI, OLLAMA])
def test_a_proxy_that_is_no_proxy(llmctl: Llmctl, sim: Simulator, provider: str) -> None:
    """A web server in its place answers CONNECT with its own refusal."""
    how = {"https_proxy": sim.url, "LLMCTL_NETWORK__RETRIES": "0"}

    result = ask(llmctl, provider, f"https://{NOWHERE}", **how)

    assert (result.code, result.out) == (9, "")
    assert f"proxy http://127.0.0.1:{sim.port}" in result.err
    assert "HTTPS_PROXY" in result.err
