"""What a request asks for beside an answer: what is known to do nothing, what a card explains, and
what nobody has said anything of."""

from datetime import date
from typing import Any

import pytest

from llmctl import catalogue
from llmctl.cards import Card, Control, Endpoint, Lowered, Privacy, Source
from llmctl.privacy.controls import Sent
from llmctl.privacy.features import shows
from llmctl.privacy.standing import Standing, standing
from llmctl.settings import Attested, ProviderSettings, Settings
from llmctl.types import Level

TODAY = date(2026, 11, 25)
URL = "https://api.example.com/v1"
SOURCE = Source(title="terms", checked="2026-11-01")
STORE = Control(name="store=false", body="store", value=False, effect="e", source=SOURCE)


def card(kind: Any = "api", lowered: tuple[Lowered, ...] = ()) -> Card:
    row = Privacy(
        level=Level.ZERO_RETENTION, trains="no", retention_days=0, human_review="no",
        regions=("EU",), source=SOURCE, lowered=lowered,
    )  # fmt: skip
    return Card(
        card=1, id="a", name="A", kind=kind, dialect="openai_chat", controls=(STORE,),
        endpoint=Endpoint(base_url=URL), privacy=(row,),
    )  # fmt: skip


def found(one: Card, sent: Sent, own: ProviderSettings | None = None, url: str = URL) -> Standing:
    own = own or ProviderSettings()
    return standing(one, None, own, url, Settings(providers={"a": own}), sent, today=TODAY)


def facts(of: Standing) -> tuple[Any, ...]:
    return of.level, of.trains, of.retention_days, of.human_review, of.regions


AS_STATED = (Level.ZERO_RETENTION, "no", 0, "no", ("EU",))
NOTHING_KNOWN = (Level.UNKNOWN, "unknown", None, "unknown", ())


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "messages": [], "stream": True, "stream_options": {"include_usage": True}},
        {"max_tokens": 5, "maxOutputTokens": 5, "top_p": 0.5, "n": 2, "seed": 1},
        {"generationConfig": {"topK": 4, "thinkingConfig": {"thinkingLevel": "LOW"}}},
        {"completionOptions": {"maxTokens": "50", "reasoningOptions": {"mode": "DISABLED"}}},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"tools": [{"type": "function", "name": "f", "parameters": {}, "strict": True}]},
        {"tools": [{"name": "f", "description": "d", "input_schema": {}}]},
        {"tools": [{"functionDeclarations": [{"name": "f"}]}]},
        {"tools": [{"functions": {"specifications": []}}]},
        {"tools": None, "plugins": None, "background": False},
        {"store": True},  # a control of the card's, of which its rows may say something
    ],
)
def test_what_changes_only_the_answer_changes_no_fact(body: Any) -> None:
    assert facts(found(card(), Sent(body=body))) == AS_STATED


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"mcp_servers": []}, "mcp_servers"),
        ({"plugins": {"web": {}}}, "plugins"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"generationConfig": {"urlContext": {}}}, "urlContext"),
        ({"tools": [{"type": "openrouter:web_search"}]}, "tools: openrouter:web_search"),
        ({"tools": [{"type": "function"}, {"type": "mcp"}]}, "tools: mcp"),
        ({"tools": [{"function": {}, "google_search": {}}]}, "tools: google_search"),
        ({"tools": [{"type": "custom", "server_url": "x"}]}, "tools: server_url"),
        ({"tools": ["web_search"]}, "tools: web_search"),
        ({"tools": {"type": "mcp"}}, "tools: mcp"),
    ],
)
@pytest.mark.parametrize(
    "said", [None, Attested(training="no", retention=0, human_review="no", regions=("EU",))]
)
def test_of_an_option_that_nobody_knows_nothing_is_known(
    body: Any, name: str, said: Attested | None
) -> None:
    """Neither what the card says nor a contract: it may lead anywhere."""
    kept = found(card(), Sent(body=body), ProviderSettings(attest=said))

    assert facts(kept) == NOTHING_KNOWN
    assert (kept.strange, kept.attested) == ((name,), ())
    assert name in kept.why[-1]


def test_a_server_of_ones_own_takes_what_options_it_likes_but_no_tools_of_others() -> None:
    near = "http://127.0.0.1:1/v1"

    assert found(card("local"), Sent(body={"mirostat": 2}), url=near).level is Level.DEVICE
    lost = found(card("local"), Sent(body={"tools": [{"type": "mcp"}]}), url=near)
    assert facts(lost) == NOTHING_KNOWN


SEARCH = Lowered(
    feature="grounding", level=Level.NO_TRAINING, found=("tools.*.type=web_search*",),
    note="searches are made by a partner",
)  # fmt: skip
FILES = Lowered(feature="files", level=Level.NO_TRAINING, found=("file",), note="files are stored")
MCP = Lowered(feature="grounding", level=Level.UNKNOWN, found=("mcp_servers",), note="others")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"tools": [{"type": "web_search_2026"}]}, (Level.NO_TRAINING, "no", None, "unknown", ())),
        ({"file": "f"}, (Level.NO_TRAINING, "no", None, "no", ("EU",))),
        ({"mcp_servers": [{}]}, NOTHING_KNOWN),
        ({"tools": [{"type": "web_search_2026"}, {"type": "x"}]}, NOTHING_KNOWN),
    ],
)
def test_a_feature_takes_every_fact_with_it_that_it_does_not_state(
    body: Any, expected: tuple[Any, ...]
) -> None:
    one = card(lowered=(SEARCH, FILES, MCP))
    said = ProviderSettings(attest=Attested(training="no", retention=0, regions=("EU",)))

    assert facts(found(one, Sent(body=body))) == expected
    assert facts(found(one, Sent(body=body), said)) == expected


@pytest.mark.parametrize("kind", ["api", "local"])
def test_who_has_a_picture_is_not_known_to_do_anything(kind: str) -> None:
    url = URL if kind == "api" else "http://127.0.0.1:1/v1"
    seen = Sent(hosts=("pictures.example",))

    assert facts(found(card(kind), seen, url=url)) == NOTHING_KNOWN


@pytest.mark.parametrize(
    ("path", "there"),
    [("model=*:online", True), ("model=*:free", False), ("model", True), ("a.*.b", False)],
)
def test_a_path_may_have_any_letters_in_its_text(path: str, there: bool) -> None:
    assert shows({"model": "acme/m:online", "a": {"b": 1}}, path) is there


ZERO = Attested(training="no", retention=0, human_review="no", regions=("EU",))


@pytest.mark.parametrize(
    ("provider", "extra", "body", "level", "days"),
    [
        ("openai", {}, {"store": True}, Level.NO_TRAINING, 30),
        ("openai", {}, {"web_search_options": {}}, Level.NO_TRAINING, None),
        ("openai", {}, {"model": "gpt-6-search-api"}, Level.NO_TRAINING, None),
        ("openai", {}, {"background": True}, Level.NO_TRAINING, None),
        ("openai", {}, {"conversation": "c"}, Level.NO_TRAINING, None),
        ("openai", {}, {"previous_response_id": "r"}, Level.NO_TRAINING, None),
        ("openai", {}, {"prompt_cache_retention": "24h"}, Level.NO_TRAINING, 1),
        ("openai", {}, {"tools": [{"type": "mcp"}]}, Level.UNKNOWN, None),
        ("openrouter", {}, {"model": "acme/m:online"}, Level.UNKNOWN, None),
        ("openrouter", {}, {"plugins": {"web": {}}}, Level.UNKNOWN, None),
        ("openrouter", {}, {"model": "@preset/mine"}, Level.UNKNOWN, None),
        ("openrouter", {}, {"provider": {"order": ["a"]}}, Level.ZERO_RETENTION, 0),
        ("gemini", {"tier": "paid"}, {"tools": [{"google_search": {}}]}, Level.NO_TRAINING, 30),
        ("gemini", {"tier": "paid"}, {"tools": [{"url_context": {}}]}, Level.UNKNOWN, None),
        ("gemini", {"tier": "paid"}, {"tools": [{"file_search": {}}]}, Level.NO_TRAINING, None),
        ("gemini", {"tier": "paid"}, {"cachedContent": "c"}, Level.NO_TRAINING, None),
        ("gemini", {"tier": "paid"}, {"tools": [{"mcp_servers": []}]}, Level.UNKNOWN, None),
        ("anthropic", {}, {"container": "c"}, Level.NO_TRAINING, None),
        ("anthropic", {}, {"mcp_servers": [{}]}, Level.UNKNOWN, None),
        (
            "anthropic", {},
            {"tools": [{"type": "web_fetch_20260209", "name": "web_fetch"}]},
            Level.NO_TRAINING, None,
        ),
        ("groq", {}, {"model": "groq/compound"}, Level.UNKNOWN, None),
        ("perplexity", {}, {"tools": [{"type": "fetch_url"}]}, Level.UNKNOWN, None),
    ],
)  # fmt: skip
def test_what_shipped_cards_say_of_what_may_be_asked_for(
    provider: str, extra: Any, body: Any, level: Level, days: int | None
) -> None:
    """For an account that is said to keep nothing."""
    one = catalogue.card(provider, Settings())
    own = ProviderSettings(attest=ZERO, extra=extra)
    settings = Settings(providers={provider: own})
    kept = standing(one, None, own, one.endpoint.base_url, settings, Sent(body=body), today=TODAY)

    assert (kept.level, kept.retention_days) == (level, days)


def test_of_perplexity_nothing_is_stated_since_its_older_api_ended() -> None:
    one = catalogue.card("perplexity", Settings())
    url = one.endpoint.base_url
    kept = standing(one, None, ProviderSettings(), url, Settings(), Sent(), today=TODAY)

    assert (kept.level, kept.retention_days) == (Level.UNKNOWN, None)
