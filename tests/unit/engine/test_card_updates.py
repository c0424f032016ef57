"""Refreshed cards: checked, compared, put in their place, and found there again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmctl import __version__, catalogue, refreshed, resources
from llmctl.engine import card_updates
from llmctl.engine.card_updates import Plan, planned, read, reset, store
from llmctl.errors import ConfigError
from llmctl.settings import Settings
from llmctl.structure import Misfit

PROVIDER = "deepseek"
SHIPPED = (resources.providers() / f"{PROVIDER}.toml").read_text("utf-8")
NAME = 'name = "DeepSeek"'
NEWER = SHIPPED.replace(NAME, 'name = "DeepSeek, newer"')
OTHER = """\
card = 1
id = "acme"
name = "Acme"
kind = "api"
dialect = "openai_chat"
endpoint = { base_url = "https://api.acme.test/v1" }
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind.lower()))
    refreshed.forget()
    yield
    refreshed.forget()


def of(*texts: str, ids: tuple[str, ...] = (PROVIDER,)) -> Plan:
    return planned({name: text.encode() for name, text in zip(ids, texts, strict=True)})


def stored(*texts: str, ids: tuple[str, ...] = (PROVIDER,), given: bool = True) -> None:
    store(of(*texts, ids=ids).updates, "somewhere", given=given)


def name_of(provider: str = PROVIDER) -> str:
    return catalogue.card(provider, Settings()).name


def test_the_same_card_is_no_update() -> None:
    assert NAME in SHIPPED
    plan = of(SHIPPED + "# a comment\n")
    assert (plan.updates, plan.same, plan.unfit) == ((), 1, {})


def test_a_card_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    stored(NEWER)

    assert name_of() == "DeepSeek, newer"
    place = tmp_path / "data" / "cards" / __version__
    assert {one.name for one in place.iterdir()} == {"deepseek.given.toml", "record.json"}
    for path in (place, place.parent, *place.iterdir()):
        assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in place.parent.iterdir() if one.name != ".lock"] == [__version__]
    origin = refreshed.origins()[PROVIDER]
    assert origin.source == "somewhere"
    assert origin.at is not None
    assert origin.at.endswith("Z")


def test_the_users_own_card_comes_first(tmp_path: Path) -> None:
    stored(NEWER)
    own = tmp_path / "config" / "providers" / f"{PROVIDER}.toml"
    own.parent.mkdir(parents=True)
    own.write_text(SHIPPED.replace(NAME, 'name = "Mine"'), encoding="utf-8")

    assert name_of() == "Mine"
    [update] = of(SHIPPED.replace(NAME, 'name = "Newest"')).updates
    assert update.hidden


def test_another_version_does_not_look_at_them(tmp_path: Path) -> None:
    stored(NEWER)
    cards = tmp_path / "data" / "cards"
    (cards / __version__).rename(cards / "0.0.1")
    refreshed.forget()

    assert name_of() == "DeepSeek"


def test_a_new_provider_is_one_among_the_others() -> None:
    stored(OTHER, ids=("acme",))

    assert "acme" in catalogue.provider_ids(Settings())
    assert name_of("acme") == "Acme"


def test_what_came_earlier_stays_and_what_is_shipped_again_goes() -> None:
    stored(NEWER)
    stored(OTHER, ids=("acme",))
    assert refreshed.files().keys() == {PROVIDER, "acme"}

    [update] = of(SHIPPED).updates  # differs from the refreshed one
    assert update.same_as_shipped
    stored(SHIPPED)
    assert refreshed.files().keys() == {"acme"}
    assert name_of() == "DeepSeek"


def test_only_what_came_from_the_index_counts_as_ours() -> None:
    stored(NEWER, given=True)
    assert catalogue.is_users(PROVIDER)
    stored(SHIPPED.replace(NAME, 'name = "From the index"'), given=False)

    assert not catalogue.is_users(PROVIDER)
    assert name_of() == "From the index"
    assert list(refreshed.files().values()) == ["deepseek.toml"]


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "\x00",
        NEWER.replace("card = 1", 'card = "one"'),
        NEWER + "\n[[models]]\nid = 'a'\nnosuch = 1\n",
        NEWER + "\n[[models]]\nid = 'a'\nprices = [{ since = '2026-01-01', currency = 'USD',"
        " input = '-1', source = { title = 't', checked = '2026-01-01' } }]\n",
        OTHER,  # its id is another
        "x = " + "[" * 5000,
        OTHER.replace("openai_chat", "nosuch").replace('"acme"', f'"{PROVIDER}"'),
        "# of a card\n" * (1 << 15) + NEWER,
    ],
)
def test_what_does_not_fit_is_refused_when_it_comes_alone_and_left_out_of_many(text: str) -> None:
    with pytest.raises(ConfigError, match=r"deepseek\.toml is no card of this version"):
        of(text)

    plan = of(text, OTHER, ids=(PROVIDER, "acme"))
    assert [one.id for one in plan.updates] == ["acme"]
    assert [*plan.unfit] == [PROVIDER]
    assert plan.unfit[PROVIDER]


def test_a_line_of_very_many_parts_is_not_read() -> None:
    """A key takes time by the square of its parts."""
    with pytest.raises(Misfit, match="a line of it"):
        read(PROVIDER, f"{'a.' * 100_000}a = 1\n{NEWER}".encode())


@pytest.mark.parametrize(
    "damage",
    [b"", b"x = ", b"\xff\xfe", b"card = 1\n", SHIPPED.encode()[:-200],
     SHIPPED.replace("card = 1", "card = []").encode(), b"a = " + b"[" * 5000, OTHER.encode()],
)  # fmt: skip
def test_a_damaged_card_is_one_clear_error(tmp_path: Path, damage: bytes) -> None:
    stored(NEWER)
    (refreshed.folder() / "deepseek.given.toml").write_bytes(damage)

    with pytest.raises(ConfigError, match="damaged") as caught:
        name_of()
    assert "llmctl cards reset" in (caught.value.hint or "")
    assert name_of("openai")  # the others are not touched
    stored(NEWER)  # and to refresh it again mends it
    assert name_of() == "DeepSeek, newer"


def test_a_record_that_is_gone_or_damaged(tmp_path: Path) -> None:
    stored(NEWER)
    for text in ("", "[]", '{"cards": 3}', '{"cards": {"deepseek": {}}}'):
        (refreshed.folder() / "record.json").write_text(text)
        assert refreshed.origins() == {PROVIDER: refreshed.Origin()}
    assert name_of() == "DeepSeek, newer"
    stored(OTHER, ids=("acme",))
    assert refreshed.origins()["acme"].source == "somewhere"


def test_going_back(tmp_path: Path) -> None:
    assert reset() == 0
    stored(NEWER)
    (tmp_path / "data" / "cards" / "0.0.1").mkdir()

    assert reset() == 1
    assert name_of() == "DeepSeek"
    assert [one.name for one in (tmp_path / "data" / "cards").iterdir()] == [".lock"]


def test_trouble_in_the_middle_leaves_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    stored(NEWER)

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(card_updates, "write_private", full)
        with pytest.raises(Exception, match="no space"):
            stored(SHIPPED.replace(NAME, 'name = "Third"'))

    assert name_of() == "DeepSeek, newer"
    assert [one.name for one in refreshed.root().iterdir() if one.is_dir()] == [__version__]


def test_an_older_card_is_said_to_be_older() -> None:
    text = "\n[[models]]\nid = 'a'\nsource = { title = 't', checked = '2026-01-0%d' }\n"
    stored(OTHER + text % 2, ids=("acme",))

    [older] = of(OTHER + text % 1, ids=("acme",)).updates
    [newer] = of(OTHER + text % 3, ids=("acme",)).updates
    assert (older.is_older, older.before, older.now) == (True, "2026-01-02", "2026-01-01")
    assert (newer.is_older, newer.now) == (False, "2026-01-03")
