"""A model from the Hub: resumed, checked against what the Hub states, pinned."""

import asyncio
import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmctl.cards import Model
from llmctl.engine import hub as hubs
from llmctl.engine import weights
from llmctl.engine.pull import pull
from llmctl.errors import AuthFailed, LlmctlError, NetworkFailed, NotFound
from tests.hub import REVISION, Hub, serving
from tests.unit.engine.weights_shared import Told, tiny

DATA = b"GGUF" + bytes(range(251)) * 4000  # about a megabyte


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(Hub(DATA)) as one:
        monkeypatch.setenv("HF_ENDPOINT", one.url)
        yield one


def model(sha256: str | None = None) -> Model:
    return tiny(sha256=sha256, size=None, hub="org/tiny")


def pulled(told: Told | None = None) -> Path:
    return asyncio.run(pull((told or Told()).order(model())))


def test_the_file_comes_at_the_stated_revision_and_is_pinned(hub: Hub) -> None:
    told = Told()
    path = pulled(told)

    assert path.read_bytes() == DATA
    assert weights.record_of(model())["sha256"] == hashlib.sha256(DATA).hexdigest()
    assert weights.record_of(model())["source"] == f"org/tiny@{REVISION}"
    assert told.bars[-1][1:] == (len(DATA), len(DATA))
    # The first look is at the branch, the transfer at the revision that it named.
    paths = [path for place, _method, path, _headers in hub.asked if place == "hub"]
    assert paths == [
        "/org/tiny/resolve/main/tiny.gguf",
        f"/org/tiny/resolve/{REVISION}/tiny.gguf",
    ]
    assert [one.name for one in path.parent.iterdir()] == ["tiny.gguf"]


def test_a_broken_transfer_goes_on_where_it_broke(hub: Hub) -> None:
    hub.cuts = [300_000, 200_000]

    assert pulled().read_bytes() == DATA
    assert hub.fetched == ["", "bytes=300000-", "bytes=500000-"]


def test_a_transfer_that_gets_nowhere_is_given_up_and_resumed_by_the_next_command(
    hub: Hub,
) -> None:
    hub.cuts = [300_000, 0]
    with pytest.raises(NetworkFailed):
        pulled()
    hub.asked.clear()

    assert pulled().read_bytes() == DATA
    assert hub.fetched == ["bytes=300000-"]


def test_a_store_without_ranges_begins_anew(hub: Hub) -> None:
    hub.cuts, hub.ranges = [300_000], False

    assert pulled().read_bytes() == DATA


def test_what_was_left_of_another_file_is_not_gone_on_with(hub: Hub) -> None:
    hub.cuts = [300_000, 0]
    with pytest.raises(NetworkFailed):
        pulled()
    hub.data = DATA[::-1]
    hub.sha256 = hashlib.sha256(hub.data).hexdigest()

    assert pulled().read_bytes() == DATA[::-1]


def test_bytes_that_are_not_those_of_the_hub_are_refused(hub: Hub) -> None:
    hub.sha256 = hashlib.sha256(b"other").hexdigest()

    with pytest.raises(NetworkFailed) as caught:
        pulled()
    assert caught.value.reason == "checksum"
    assert list(weights.place(model()).parent.iterdir()) == []


def test_the_token_goes_to_the_hub_and_not_to_its_store(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = secrets.token_hex(8)
    hub.gate = token
    monkeypatch.setenv("HF_TOKEN", token)

    pulled()

    seen = {(place, headers.get("authorization")) for place, _m, _p, headers in hub.asked}
    assert seen == {("hub", f"Bearer {token}"), ("store", None)}


def test_a_gated_model_says_how_to_get_in(hub: Hub) -> None:
    hub.gate = secrets.token_hex(8)

    with pytest.raises(AuthFailed, match="restricted") as caught:
        pulled()
    assert "HF_TOKEN" in (caught.value.hint or "")


def test_a_repository_that_is_not_there(hub: Hub) -> None:
    with pytest.raises(NotFound, match="404"):
        asyncio.run(pull(Told().order(tiny(sha256=None, size=None, hub="org/nosuch"))))


def test_the_token_of_the_hubs_own_program_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hubs.token() is None
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    kept = secrets.token_hex(8)
    (tmp_path / "token").write_text(kept + "\n")
    assert hubs.token() == kept


def test_what_the_catalogue_has_by_hearsay_gives_way_to_the_hub(hub: Hub) -> None:
    """A wrong revision or checksum that nobody computed keeps no one from the model."""
    hearsay = tiny(sha256="00" * 32, size=None, hub="org/tiny", revision="nosuch", verified=False)
    hub.revisions = {"main", REVISION}

    assert asyncio.run(pull(Told().order(hearsay))).read_bytes() == DATA
    assert weights.expected(hearsay) == hashlib.sha256(DATA).hexdigest()


def test_what_the_catalogue_has_verified_holds(hub: Hub) -> None:
    known = tiny(sha256="00" * 32, size=None, hub="org/tiny")

    with pytest.raises(LlmctlError) as caught:
        asyncio.run(pull(Told().order(known)))
    assert caught.value.reason == "checksum"
