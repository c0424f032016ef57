"""The cards there are: shipped ones, the user's own, which are checked, and second accounts."""

import os
from pathlib import Path

import pytest

from llmctl import catalogue, resources, settings
from llmctl.errors import ConfigError, NotFound
from llmctl.settings import Loaded, Origin, ProviderSettings, Settings

SHIPPED = sorted(one.name[:-5] for one in resources.providers().iterdir())

MINE = """
card = 1
id = "mine"
name = "Mine"
kind = "api"
dialect = "openai_chat"
any_model = true
[endpoint]
base_url = "https://llm.example.com/v1"
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("config", "data", "cache"):
        monkeypatch.setenv(f"LLMCTL_{kind.upper()}_DIR", str(tmp_path / kind))
    for name in ("OPENAI_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def mine(text: str, name: str = "mine") -> Path:
    file = settings.paths().config / "providers" / f"{name}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize("provider", SHIPPED)
def test_every_shipped_card_is_found_by_the_name_of_its_file(provider: str) -> None:
    assert provider == catalogue.card(provider, Settings()).id
    assert provider in catalogue.provider_ids(Settings())


def test_unknown_provider_gives_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        catalogue.card("opnai", Settings())
    assert "openai" in (caught.value.hint or "")


def test_a_card_of_ones_own() -> None:
    mine(MINE)

    assert catalogue.card("mine", Settings()).name == "Mine"
    assert "mine" in catalogue.provider_ids(Settings())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINE + "\n[qirks]\n", "qirks"),
        (MINE.replace("openai_chat", "klingon"), "klingon"),
        (MINE.replace('id = "mine"', 'id = "Mine-1"'), "Mine-1"),
        (MINE.replace('id = "mine"', 'id = "other"'), "other"),
        (MINE.replace('kind = "api"', 'kind = "cloud"'), "kind"),
        (MINE.replace("card = 1", "card = 2"), "card"),
        (MINE + '\n[[models]]\nid = "a"\n[[models]]\nid = "a"\n', "twice"),
        (
            MINE + '\n[[models]]\nid = "a"\n[[models.prices]]\nsince = "2026-01-01"\n'
            'currency = "USD"\ninput = "cheap"\nsource = { title = "t", checked = "2026-01-01" }\n',
            "cheap",
        ),
        (
            MINE + '\n[[privacy]]\nlevel = "device"\n'
            'source = { title = "t", checked = "last week" }\n',
            "last week",
        ),
        (
            MINE + '\n[[models]]\nid = "a"\n[[models.prices]]\nsince = "2026-01-01"\n'
            'currency = "USD"\ntiers = [{ above_input_tokens = 1, input = "-1" }]\n'
            'source = { title = "t", checked = "2026-01-01" }\n',
            "-1",
        ),
        (
            MINE + '\n[[models]]\nid = "a"\n[[models.prices]]\nsince = "soon"\n'
            'currency = "USD"\nsource = { title = "t", checked = "2026-01-01" }\n',
            "soon",
        ),
        (
            MINE + '\n[[models]]\nid = "a"\n'
            + "".join(
                f'[[models.prices]]\nsince = "{since}"\ncurrency = "USD"\n'
                'source = { title = "t", checked = "2026-01-01" }\n'
                for since in ("2026-01-01", "2026-02-01")
            ),
            "newest first",
        ),
        (MINE + '\n[[models]]\nid = "a"\nsource = { title = "t", checked = "May" }\n', "May"),
        (MINE + '\n[[models]]\nid = "a"\ndialect = "elvish"\n', "elvish"),
        ("card = ", "TOML"),
    ],
)  # fmt: skip
def test_a_card_that_does_not_fit_is_named_with_its_fault(text: str, said: str) -> None:
    file = mine(text)

    with pytest.raises(ConfigError) as caught:
        catalogue.card("mine", Settings())
    assert said in caught.value.message
    assert str(file) in caught.value.message


def test_a_second_account_has_the_card_but_not_the_key_of_the_first() -> None:
    own = Settings(providers={"work": ProviderSettings(extends="openai")})

    card = catalogue.card("work", own)

    assert card.id == "work"
    assert card.auth.env == ()
    assert catalogue.card("openai", own).models == card.models
    assert "work" in catalogue.provider_ids(own)


def test_accounts_of_accounts_have_the_first_card() -> None:
    own = Settings(
        providers={
            "work": ProviderSettings(extends="openai"),
            "batch": ProviderSettings(extends="work"),
        }
    )

    assert catalogue.lineage("batch", own) == ["batch", "work", "openai"]
    assert catalogue.card("batch", own).models == catalogue.card("openai", own).models
    assert catalogue.lineage("openai", own) == ["openai"]


@pytest.mark.parametrize("circle", [("a",), ("a", "b"), ("a", "b", "c")])
def test_accounts_do_not_extend_each_other_in_a_circle(circle: tuple[str, ...]) -> None:
    after = dict(zip(circle, (*circle[1:], circle[0]), strict=True))
    own = Settings(providers={name: ProviderSettings(extends=after[name]) for name in circle})

    with pytest.raises(ConfigError, match="extends itself"):
        catalogue.card("a", own)


def test_an_account_of_nobody_and_one_with_an_odd_name() -> None:
    with pytest.raises(NotFound):
        catalogue.card("work", Settings(providers={"work": ProviderSettings(extends="nobody")}))
    with pytest.raises(ConfigError, match="Work-1"):
        catalogue.card("Work-1", Settings(providers={"Work-1": ProviderSettings(extends="openai")}))


def test_settings_of_a_misspelt_provider_are_refused_with_their_place() -> None:
    stray = Settings(providers={"opnai": ProviderSettings(proxy="none")})
    origins = {"providers.opnai.proxy": Origin("environment", "LLMCTL_PROVIDERS__OPNAI__PROXY")}

    with pytest.raises(ConfigError, match="LLMCTL_PROVIDERS__OPNAI__PROXY") as caught:
        catalogue.refuse_strangers(Loaded(stray, origins))
    assert "openai" in (caught.value.hint or "")
    known = {"openai": ProviderSettings(), "work": ProviderSettings(extends="openai")}
    catalogue.refuse_strangers(Loaded(Settings(providers=known), {}))


def test_settings_the_card_does_not_have_are_refused() -> None:
    own = Settings(providers={"openai": ProviderSettings(extra={"folder": "x"})})

    with pytest.raises(ConfigError, match="folder"):
        catalogue.card("openai", own)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "http://127.0.0.1:11434"),
        ("box", "http://box:11434"),
        ("box:8000", "http://box:8000"),
        ("http://box", "http://box"),
        ("https://box:1/", "https://box:1"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:99", "http://127.0.0.1:99"),
        ("http://0.0.0.0:99", "http://127.0.0.1:99"),
        (":99", "http://127.0.0.1:99"),
        ("[::]", "http://127.0.0.1:11434"),
        ("[::]:99", "http://127.0.0.1:99"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:99", "http://[::1]:99"),
        ("box/ollama/", "http://box:11434/ollama"),
        ("0.0.0.0.example", "http://0.0.0.0.example:11434"),
        (" ", "http://127.0.0.1:11434"),
    ],
)
def test_the_address_from_the_environment(
    given: str | None, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given is not None:
        monkeypatch.setenv("OLLAMA_HOST", given)
    card = catalogue.card("ollama", Settings())

    assert url == catalogue.base_url(card, ProviderSettings())
    assert catalogue.base_url(card, ProviderSettings(base_url="http://set/")) == "http://set"


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.openai.com.evil.example/v1", False),
        ("https://evilapi.openai.com.example/v1", False),
        ("https://notapi.openai.com/v1", False),
        ("http://127.0.0.1/v1", False),
    ],
)
def test_whose_host_it_is(url: str, own: bool) -> None:
    assert own == catalogue.is_own_host(catalogue.card("openai", Settings()), url)


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped cards with one in it, as the file is now."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "mine.toml").write_text(MINE)
    monkeypatch.setattr(resources, "providers", lambda: folder)
    return folder / "mine.toml"


def kept() -> list[Path]:
    return sorted((settings.paths().cache / "cards").iterdir())


def test_a_shipped_card_is_parsed_once(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = catalogue._parsed("mine")
    assert first == catalogue.shipped_table("mine")
    [file] = kept()
    assert file.stat().st_mode & 0o077 == 0

    monkeypatch.setattr(catalogue, "shipped_table", lambda _provider: pytest.fail("parsed again"))
    assert catalogue._parsed("mine") == first


def test_a_shipped_card_that_was_written_anew_is_parsed_anew(shipped: Path) -> None:
    """Also where its size is the same, and its time is set back."""
    catalogue._parsed("mine")
    before = shipped.stat()
    shipped.write_text(MINE.replace('"Mine"', '"Else"'))
    os.utime(shipped, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert catalogue._parsed("mine")["name"] == "Else"
    assert len(kept()) == 1


@pytest.mark.parametrize("mode", [0o666, 0o600])
def test_what_is_damaged_or_may_be_somebody_elses_is_not_believed(shipped: Path, mode: int) -> None:
    expected = catalogue._parsed("mine")
    [file] = kept()
    file.write_text('{"id": "evil"}' if mode == 0o666 else '{"id": ')
    file.chmod(mode)

    assert catalogue._parsed("mine") == expected


def test_without_a_cache_nothing_fails(shipped: Path) -> None:
    settings.paths().cache.write_text("no folder")

    assert catalogue._parsed("mine")["name"] == "Mine"


@pytest.mark.parametrize("given", ["HTTP://api.openai.com/v1", " http://api.openai.com/v1/ \n"])
def test_an_address_is_written_in_one_way(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    card = catalogue.card("openai", Settings())
    own = ProviderSettings(base_url=given)

    assert catalogue.base_url(card, own) == "http://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", given)
    assert catalogue.base_url(card, ProviderSettings()) == "http://api.openai.com/v1"


@pytest.mark.parametrize(
    "given", ["ht\ttp://api.openai.com/v1", "https://api.open\nai.com", "https://a b/"]
)
def test_an_address_with_blanks_in_it_is_none(given: str) -> None:
    with pytest.raises(ConfigError, match=r"providers\.openai\.base_url has a blank"):
        catalogue.base_url(catalogue.card("openai", Settings()), ProviderSettings(base_url=given))


def test_a_dot_behind_a_host_changes_nothing() -> None:
    card = catalogue.card("openai", Settings())

    assert catalogue.is_own_host(card, "https://API.openai.com./v1")
    assert not catalogue.is_own_host(card, "https://api.openai.com.example/v1")
