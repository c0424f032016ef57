"""Searching the Hub: what is asked, what comes back, and what keeps it from going on for ever."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from llmctl import catalogue
from llmctl.engine import hub_api
from llmctl.engine.hub_search import Found, Search, Served, Wanted, read, search
from llmctl.engine.hub_show import Shown, shown
from llmctl.errors import AuthFailed, NotFound, ProviderFailed, UsageError
from llmctl.settings import ProviderSettings, Settings
from llmctl.types import Json
from tests.hub import Hub
from tests.hub_models import Repo
from tests.simulator import Simulator
from tests.simulator.hosts import host_url
from tests.unit.engine.hub_shared import TINY, reached

PARTNERS = (
    {"provider": "together", "providerId": "x", "status": "live", "task": "conversational"},
    {"provider": "groq", "providerId": "x", "status": "live", "task": "conversational"},
    {"provider": "novita", "providerId": "x", "status": "error", "task": "conversational"},
)
SERVED = Repo("org/served", {"model.safetensors": b"x" * 1000}, partners=PARTNERS, downloads=9)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with reached(Hub(repos=[TINY, SERVED]), monkeypatch) as one:
        yield one


def settings(base_url: str = "http://127.0.0.1:9/v1") -> Settings:
    """The router is where nobody answers, unless it is said."""
    return Settings(providers={"huggingface": ProviderSettings(base_url=base_url)})


def found(wanted: Wanted, own: Settings | None = None) -> Search:
    own = own or settings()
    return asyncio.run(search(catalogue.card("huggingface", own), wanted, own))


def show(repo: str, own: Settings | None = None) -> Shown:
    own = own or settings()
    return asyncio.run(shown(catalogue.card("huggingface", own), repo, own))


def asked(hub: Hub) -> dict[str, list[str]]:
    [path] = [path for _place, _method, path, _headers in hub.asked if path.startswith("/api")]
    return parse_qs(urlsplit(path).query)


def test_what_a_search_says_of_a_model(hub: Hub) -> None:
    result = found(Wanted(text="tiny"))

    assert result == Search(
        (
            Found(
                id="org/tiny-GGUF",
                task="text-generation",
                licence="mit",
                parameters=1_777_088_000,
                context=32_768,
                downloads=1234,
                likes=7,
                gated="no",
                private=False,
                gguf=True,
                created="2026-03-04",
                modified="2026-08-09",
            ),
        ),
        None,
    )
    assert asked(hub)["search"] == ["tiny"]
    assert asked(hub)["limit"] == ["20"]
    assert "sort" not in asked(hub)


def test_the_filters_in_the_hubs_words(hub: Hub) -> None:
    found(Wanted(task="fill-mask", licence="Apache-2.0", gguf=True, sort="trending", limit=7))

    query = asked(hub)
    assert query["pipeline_tag"] == ["fill-mask"]
    assert query["filter"] == ["gguf", "license:apache-2.0"]
    assert (query["sort"], query["limit"]) == (["trendingScore"], ["7"])


@pytest.mark.parametrize(("limit", "pages"), [(2, 1), (3, 2), (5, 3), (6, 3)])
def test_pages_are_followed_as_far_as_is_wanted(hub: Hub, limit: int, pages: int) -> None:
    hub.repos, hub.page = [Repo(f"org/m{number}") for number in range(5)], 2

    result = found(Wanted(text="m", limit=limit))

    assert [one.id for one in result.models] == [f"org/m{n}" for n in range(min(limit, 5))]
    assert len(hub.asked) == pages


def test_a_page_that_leads_back_to_itself(hub: Hub) -> None:
    hub.links = '<{url}/api/models?cursor=0>; rel="next"'

    with pytest.raises(ProviderFailed) as caught:
        found(Wanted(limit=100))

    assert caught.value.reason == "repeated-page"
    assert len(hub.asked) == 2


def test_a_page_at_another_host_is_not_asked_for(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", secrets.token_hex(8))
    hub.links = f'<{hub.store}/api/models?cursor=2>; rel="next"'

    with pytest.raises(ProviderFailed, match="another host"):
        found(Wanted(limit=100))

    assert [place for place, *_rest in hub.asked] == ["hub"]


def test_who_serves_a_model_and_at_what_price(hub: Hub, sim: Simulator) -> None:
    """The simulator's router asks 0.1 and 0.4 for `together`, and says nothing of `groq`."""
    sim.models = ("org/served",)

    result = found(Wanted(text="served"), settings(host_url(sim.url, "huggingface")))

    assert result.unpriced is None
    first, second = result.models[0].served
    assert (first.partner, first.task) == ("together", "conversational")
    assert first.figures is not None
    assert (first.figures.input, first.figures.output, first.figures.ttft_s) == ("0.1", "0.4", 0.6)
    assert second.partner == "groq"
    assert second.figures is not None
    assert second.figures.input is None


def test_a_search_without_prices_is_still_one(hub: Hub) -> None:
    result = found(Wanted(text="served"))

    assert result.models[0].served == (
        Served("together", "conversational"),
        Served("groq", "conversational"),
    )
    assert result.unpriced is not None
    assert result.unpriced.exit_code == 9


@pytest.mark.parametrize(
    "entry",
    [{}, {"id": 7}, {"id": "no-owner"}, {"id": "org/\x1b[2Jname"}, {"id": "a/b/c"}, [], None,
     {"id": "org/.."}, {"id": f"org/{'x' * 200}"}],
)  # fmt: skip
def test_what_cannot_be_a_model_is_left_out(entry: Json) -> None:
    assert read(entry) is None


def test_facts_of_any_type_are_borne(hub: Hub) -> None:
    odd = {"id": "o/m", "tags": 3, "gated": "perhaps", "downloads": "many", "gguf": [],
           "safetensors": None, "inferenceProviderMapping": "x", "createdAt": 5}  # fmt: skip

    assert read(odd) == Found(
        id="o/m", task=None, licence=None, parameters=None, context=None, downloads=None,
        likes=None, gated=None, private=False, gguf=False, created=None, modified=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("card", "tags", "licence"),
    [
        ({"license": "apache-2.0"}, (), "apache-2.0"),
        ({}, ("license:mit",), "mit"),
        ({"license": "other", "license_name": "qwen-research"}, ("license:other",),
         "qwen-research"),
        ({}, (), None),
    ],
)  # fmt: skip
def test_licences(card: Json, tags: tuple[str, ...], licence: str | None) -> None:
    entry = {"id": "o/m", "cardData": card, "tags": list(tags)}
    assert read(entry) == replace(read({"id": "o/m"}) or pytest.fail("?"), licence=licence)


def test_all_that_is_said_of_one_model(hub: Hub, sim: Simulator) -> None:
    model = show("org/tiny-GGUF")

    assert (model.base, model.languages, model.library) == (
        "org/tiny",
        ("en", "ru"),
        "transformers",
    )
    assert model.files == 6
    assert [(one.label, one.size) for one in model.variants] == [
        ("Q4_K_M", 100_404), ("Q8_0", 200_808), ("BF16", 200_811)
    ]  # fmt: skip
    sim.models = ("org/served",)
    served = show("org/served", settings(host_url(sim.url, "huggingface")))
    assert served.weights == 1000
    assert [(one.partner, one.figures and one.figures.output) for one in served.found.served] == [
        ("together", "0.4"),
        ("groq", None),
    ]


def test_a_model_that_has_moved(hub: Hub) -> None:
    hub.moved = {"old/name": "org/tiny-GGUF"}

    assert show("old/name").found.id == "org/tiny-GGUF"


def test_a_model_that_there_is_not(hub: Hub) -> None:
    """Who asks without a token gets 401 for that, with a word that says what is meant."""
    with pytest.raises(NotFound) as caught:
        show("org/nosuch")

    assert caught.value.hint == "search for it: llmctl models list huggingface --search nosuch"


def test_a_token_that_is_none(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.gate = secrets.token_hex(8)
    monkeypatch.setenv("HF_TOKEN", secrets.token_hex(8))

    with pytest.raises(AuthFailed) as caught:
        show("org/tiny-GGUF")

    assert "llmctl keys set huggingface" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["name", "a/b/c", "../..", "org/na me", "org/..", "org/x?y=1"])
def test_what_is_no_name_is_not_asked_for(hub: Hub, name: str) -> None:
    with pytest.raises(UsageError, match="no name of a repository"):
        asyncio.run(hub_api.tree(name, "main", settings()))
    assert hub.asked == []
