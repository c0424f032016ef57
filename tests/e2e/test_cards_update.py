"""`llmctl cards`: newer cards from a file, an address and the package index; what is shown, what is
asked, and what comes of it."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from llmctl import __version__, resources
from tests.e2e.harness import KEY, Llmctl
from tests.index import Index, serving, wheel
from tests.simulator import Simulator
from tests.simulator.answers import TEXT

pytestmark = pytest.mark.usefixtures("warm")

SHIPPED = (resources.providers() / "deepseek.toml").read_text("utf-8")
ADDRESS = 'base_url = "https://api.deepseek.com"'
INPUT = 'input = "0.66"'


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card with another address, another price and another model than the shipped one."""
    assert ADDRESS in SHIPPED
    assert INPUT in SHIPPED
    path = tmp_path / "deepseek.toml"
    text = SHIPPED.replace(ADDRESS, 'base_url = "https://api.elsewhere.test"')
    path.write_text(text.replace(INPUT, 'input = "0.99"') + '\n[[models]]\nid = "newest"\n')
    return path


def kept(llmctl: Llmctl) -> list[str]:
    place = llmctl.data / "cards" / __version__
    return sorted(one.name for one in place.iterdir()) if place.exists() else []


@pytest.fixture
def index() -> Iterator[Index]:
    with serving() as served:
        yield served


@pytest.fixture
def secured(llmctl: Llmctl, tmp_path: Path) -> Iterator[Index]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    llmctl.env["LLMCTL_NETWORK__CA_FILE"] = str(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(context) as served:
        yield served


# ---- from a file


def test_nothing_is_taken_without_a_word(llmctl: Llmctl, card: Path) -> None:
    refused = llmctl.run("cards", "update", "--from", str(card))

    assert refused.code == 2
    assert "--yes" in refused.err
    shown = refused.out.splitlines()
    # What requests depend on comes first, and is marked.
    assert shown[1].strip().startswith("!! endpoint.base_url: https://api.deepseek.com → ")
    assert "0.66 → 0.99" in refused.out
    assert "+  models[newest]" in refused.out
    looked = llmctl.run("cards", "update", "--from", str(card), "--dry-run")
    assert (looked.code, looked.out) == (0, refused.out)
    assert kept(llmctl) == []


def test_taken_shown_and_given_back(llmctl: Llmctl, card: Path) -> None:
    assert llmctl.run("cards", "update", "--from", str(card), "--yes").code == 0

    rows = {one["id"]: one for one in llmctl.run("cards", "list", "--json").json["cards"]}
    assert (rows["deepseek"]["origin"], rows["openai"]["origin"]) == ("given", "shipped")
    assert rows["deepseek"]["source"] == str(card)
    assert rows["openai"]["refreshed_at"] is None
    assert "given by you" in llmctl.run("cards", "list").out
    models = llmctl.run("models", "list", "deepseek").out
    assert "deepseek/newest" in models
    about = llmctl.run("providers", "show", "deepseek")
    assert f"from {card}" in about.out
    assert llmctl.run("providers", "show", "deepseek", "--json").json["refreshed"]["at"]
    assert llmctl.run("providers", "show", "openai", "--json").json["refreshed"] is None
    assert llmctl.run("providers", "show", "deepseek", "--toml").out == card.read_text()

    assert llmctl.run("cards", "reset").code == 0
    assert "deepseek/newest" not in llmctl.run("models", "list", "deepseek").out
    assert kept(llmctl) == []


@pytest.mark.parametrize(("typed", "taken"), [(b"y\n", True), (b"\n", False), (b"n\n", False)])
def test_a_terminal_is_asked(llmctl: Llmctl, card: Path, typed: bytes, taken: bool) -> None:
    result = llmctl.on_terminal("cards", "update", "--from", str(card), typed=typed)

    assert result.code == 0, result.out
    assert "[y/N]" in result.out
    assert bool(kept(llmctl)) == taken
    assert ("Nothing was changed" in result.out) != taken


def test_for_programs(llmctl: Llmctl, card: Path) -> None:
    looked = llmctl.run("cards", "update", "--from", str(card), "--dry-run", "--json").json
    unasked = llmctl.run("cards", "update", "--from", str(card), "--json")
    taken = llmctl.run("cards", "update", "--from", str(card), "--yes", "--json").json

    assert (unasked.code, unasked.json) == (2, looked)
    assert "--yes" in unasked.err
    assert (looked["version"], looked["stored"], taken["stored"]) == (1, False, True)
    [update] = looked["cards"]
    loud = [one for one in update["changes"] if one["loud"]]
    assert [(one["path"], one["new"]) for one in loud] == [
        ("endpoint.base_url", "https://api.elsewhere.test")
    ]
    assert update["id"] == "deepseek"
    assert taken["cards"] == looked["cards"]
    again = llmctl.run("cards", "update", "--from", str(card), "--yes", "--json").json
    assert (again["cards"], again["same"], again["stored"]) == ([], 1, False)


def test_a_card_that_does_not_fit(llmctl: Llmctl, card: Path) -> None:
    card.write_text(SHIPPED.replace(INPUT, "input = 0.99"))  # a number where a text must be

    refused = llmctl.run("cards", "update", "--from", str(card), "--yes")

    assert (refused.code, kept(llmctl)) == (3, [])
    assert "deepseek.toml is no card of this version" in refused.err


def test_a_damaged_one_names_the_way_back(llmctl: Llmctl, card: Path, sim: Simulator) -> None:
    llmctl.run("cards", "update", "--from", str(card), "--yes")
    place = llmctl.data / "cards" / __version__ / "deepseek.given.toml"
    place.write_bytes(place.read_bytes()[:-40] + b"\xff")
    llmctl.env["DEEPSEEK_API_KEY"] = KEY

    asked = llmctl.run("-m", "deepseek/deepseek-chat", "hello there")
    listed = llmctl.run("cards", "list")

    assert (asked.code, sim.requests) == (3, [])
    assert "llmctl cards reset" in asked.err
    assert len(asked.err.splitlines()) <= 4
    assert listed.code == 0
    assert "damaged" in listed.out
    assert llmctl.run("-m", "openai/mock", "hello there").out == TEXT + "\n"
    assert llmctl.run("cards", "reset").code == 0
    assert llmctl.run("providers", "show", "deepseek").code == 0


def test_privacy_is_not_raised_by_a_card_from_anywhere(llmctl: Llmctl, card: Path) -> None:
    """What a file says of a provider that llmctl knows can only be worse than what llmctl says."""
    assert 'level = "may-train"' in SHIPPED
    card.write_text(
        SHIPPED.replace('level = "may-train"', 'level = "zero-retention"').replace(
            'trains = "yes"', 'trains = "no"'
        )
    )
    shown = llmctl.run("cards", "update", "--from", str(card), "--yes")
    assert "level: may-train → zero-retention" in shown.out
    llmctl.env["DEEPSEEK_API_KEY"] = KEY

    asked = llmctl.run("-m", "deepseek/deepseek-chat", "--privacy", "no-training", "hello there")

    assert asked.code == 4


# ---- from an address


def test_from_an_address(llmctl: Llmctl, secured: Index, card: Path) -> None:
    secured.files["/files/deepseek.toml"] = card.read_bytes()
    secured.redirects["/latest/deepseek.toml"] = f"{secured.url}/files/deepseek.toml"

    result = llmctl.run("cards", "update", "--from", f"{secured.url}/latest/deepseek.toml", "--yes")

    assert result.code == 0, result.err
    assert kept(llmctl) == ["deepseek.given.toml", "record.json"]
    assert secured.asked == ["/latest/deepseek.toml", "/files/deepseek.toml"]


def test_a_package_from_an_address(llmctl: Llmctl, secured: Index, card: Path) -> None:
    secured.files["/llmctl.whl"] = wheel("9.9", {"deepseek": card.read_text(), "bad": "x"})

    result = llmctl.run("cards", "update", "--from", f"{secured.url}/llmctl.whl", "--yes")

    assert result.code == 0, result.err
    assert "bad: left out" in result.out
    assert kept(llmctl) == ["deepseek.given.toml", "record.json"]


def test_an_address_that_is_not_trusted(
    llmctl: Llmctl, secured: Index, index: Index, card: Path
) -> None:
    for served in (secured, index):
        served.files["/deepseek.toml"] = card.read_bytes()
    secured.redirects["/down.toml"] = f"{index.url}/deepseek.toml"
    stranger = {"LLMCTL_NETWORK__CA_FILE": None}

    plain = llmctl.run("cards", "update", "--from", f"{index.url}/deepseek.toml", "--yes")
    down = llmctl.run("cards", "update", "--from", f"{secured.url}/down.toml", "--yes")
    unknown = llmctl.run(
        "cards", "update", "--from", f"{secured.url}/deepseek.toml", "--yes", env=stranger
    )

    assert (plain.code, down.code, unknown.code) == (2, 10, 9)
    assert index.asked == []
    assert "not secure" in down.err
    assert kept(llmctl) == []


def test_an_endless_answer_is_cut(llmctl: Llmctl, secured: Index) -> None:
    secured.files["/deepseek.toml"] = b"#" * (65 << 20)

    result = llmctl.run("cards", "update", "--from", f"{secured.url}/deepseek.toml", "--yes")

    assert result.code == 10
    assert kept(llmctl) == []


@pytest.mark.parametrize("how", ["flag", "policy", "near"])
def test_policy_forbids_to_ask(llmctl: Llmctl, index: Index, card: Path, how: str) -> None:
    flags = ["--local-only"] if how == "flag" else []
    if how != "flag":
        llmctl.env["LLMCTL_POLICY__MAX_LEVEL"] = "device" if how == "policy" else "network"
    llmctl.env |= pip(index)

    away = llmctl.run("cards", "update", "--from", "https://example.test/a.toml", "--yes", *flags)
    asked = llmctl.run("cards", "update", "--yes", *flags)

    assert (away.code, asked.code, index.asked) == (4, 4, [])
    assert "--from FILE" in asked.err
    # A file is no connection.
    assert llmctl.run("cards", "update", "--from", str(card), "--yes", *flags).code == 0


# ---- from the package index


def pip(index: Index) -> dict[str, str]:
    """The settings of a user whose index this is."""
    return {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": f"{index.url}/simple",
        "PIP_RETRIES": "0",
        "UV_INDEX_URL": f"{index.url}/simple",
    }


def test_the_newest_release_of_the_users_index(llmctl: Llmctl, index: Index, card: Path) -> None:
    index.release("9.8", {"deepseek": SHIPPED.replace(INPUT, 'input = "0.77"')})
    index.release("9.9", {"deepseek": card.read_text(), "newer": 'card = 1\nid = "newer"\nx = 1\n'})
    llmctl.env |= pip(index)

    result = llmctl.run("cards", "update", "--yes")

    assert result.code == 0, result.err
    assert "0.66 → 0.99" in result.out
    assert "newer: left out" in result.out
    assert index.asked[0] == "/simple/llmctl-cli/"
    assert not [path for path in index.asked if "9.8" in path]
    rows = {one["id"]: one for one in llmctl.run("cards", "list", "--json").json["cards"]}
    assert rows["deepseek"]["origin"] == "refreshed"
    assert "9.9" in rows["deepseek"]["source"]


def test_an_index_without_the_package(llmctl: Llmctl, index: Index) -> None:
    llmctl.env |= pip(index)

    result = llmctl.run("cards", "update", "--yes")

    assert result.code == 9
    assert "llmctl cards update --from FILE" in result.err
