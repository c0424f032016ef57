"""What becomes of a call: controls that are sent, contracts of the user's, features that make it
worse, facts that are old, and claims that are seen through."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from llmctl import catalogue
from llmctl.cards import Card, Effect, Endpoint, Lowered, Model, Privacy, Source
from llmctl.privacy.controls import Sent, carrying, planned
from llmctl.privacy.levels import reached
from llmctl.privacy.standing import Standing, standing, usual_level
from llmctl.settings import Attested, ProviderSettings, Settings
from llmctl.types import Level

URL = "https://api.example.com/v1"
TODAY = date(2026, 11, 25)
NOTHING_SENT = Sent()


def source(**dates: Any) -> Source:
    return Source(**{"title": "terms", "checked": "2026-11-01", **dates})


def card(kind: Any = "api", **facts: Any) -> Card:
    row = Privacy(**{"level": Level.NO_TRAINING, "trains": "no", "source": source(), **facts})
    return Card(
        card=1, id="a", name="A", kind=kind, dialect="openai_chat",
        endpoint=Endpoint(base_url=URL), privacy=(row,),
    )  # fmt: skip


def found(
    one: Card,
    own: ProviderSettings | None = None,
    sent: Sent = NOTHING_SENT,
    *,
    url: str = URL,
    model: Model | None = None,
    today: date = TODAY,
) -> Standing:
    own = own or ProviderSettings()
    settings = Settings(providers={one.id: own})
    return standing(one, model, own, url, settings, sent, today=today)


# ---------------------------------------------------------------------------------------- controls


ASKED = {"x=1": Effect(level=Level.ZERO_RETENTION, trains="no", retention_days=0)}


def test_a_control_counts_only_when_it_is_sent() -> None:
    one = card(level=Level.UNKNOWN, trains="unknown", controls=ASKED)

    kept = found(one)
    assert (kept.level, kept.trains, kept.retention_days) == (Level.UNKNOWN, "unknown", None)
    asked = found(one, sent=Sent(controls=("x=1",)))
    assert (asked.level, asked.trains, asked.retention_days) == (Level.ZERO_RETENTION, "no", 0)


def test_a_control_that_promises_less_than_the_row_takes_nothing_away() -> None:
    weak = {"x=1": Effect(level=Level.MAY_TRAIN, trains="yes", retention_days=90)}
    kept = found(card(retention_days=30, controls=weak), sent=Sent(controls=("x=1",)))

    assert (kept.level, kept.trains, kept.retention_days) == (Level.NO_TRAINING, "no", 30)


def test_a_control_of_which_the_row_says_nothing_changes_nothing() -> None:
    assert found(card(), sent=Sent(controls=("y=1",))).level is Level.NO_TRAINING


# ------------------------------------------------------------------------------------ attestations


@pytest.mark.parametrize(
    ("facts", "said", "level"),
    [
        ({"retention_days": 30}, {"retention": 0}, Level.ZERO_RETENTION),
        ({"retention_days": 30}, {"training": "no"}, Level.NO_TRAINING),
        ({"retention_days": 30}, {"training": "no", "retention": 0}, Level.ZERO_RETENTION),
        ({"level": Level.UNKNOWN, "trains": "unknown"}, {"training": "no"}, Level.NO_TRAINING),
        ({"level": Level.UNKNOWN, "trains": "unknown"}, {"retention": 0}, Level.UNKNOWN),
        ({"level": Level.MAY_TRAIN, "trains": "yes"}, {"retention": 0}, Level.MAY_TRAIN),
        ({"level": Level.MAY_TRAIN, "trains": "yes"}, {"training": "no"}, Level.NO_TRAINING),
        # The card contradicts itself: what is attested must say it all.
        ({"level": Level.MAY_TRAIN, "trains": "no"}, {"retention": 0}, Level.MAY_TRAIN),
        ({"level": Level.ZERO_RETENTION, "retention_days": 0}, {"retention": 30},
         Level.NO_TRAINING),
        ({}, {"training": "yes"}, Level.MAY_TRAIN),
        ({}, {"document": "DPA"}, Level.NO_TRAINING),
    ],
)  # fmt: skip
def test_what_a_contract_of_the_users_comes_to(
    facts: dict[str, Any], said: dict[str, Any], level: Level
) -> None:
    assert found(card(**facts), ProviderSettings(attest=Attested(**said))).level is level


def test_a_contract_says_the_other_facts_too_and_is_listed() -> None:
    said = Attested(
        training="no", retention=0, human_review="no", regions=("RU",), document="DPA 2026-03"
    )
    kept = found(card(level=Level.UNKNOWN, trains="unknown"), ProviderSettings(attest=said))

    assert (kept.retention_days, kept.human_review, kept.regions) == (0, "no", ("RU",))
    assert kept.attested == (
        "training=no", "retention=0", "human_review=no", "regions=RU", "document=DPA 2026-03",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ({"until": "2026-11-25"}, True),
        ({"until": "2026-11-24"}, False),
        ({"since": "2026-11-25"}, True),
        ({"since": "2026-11-26"}, False),
    ],
)
def test_a_contract_counts_while_it_is_in_force(said: dict[str, Any], counts: bool) -> None:
    own = ProviderSettings(attest=Attested(retention=0, **said))
    kept = found(card(retention_days=30), own)

    assert (kept.level is Level.ZERO_RETENTION) is counts
    assert bool(kept.attested) is counts
    assert bool(kept.notes) is not counts


def test_no_contract_brings_a_call_home() -> None:
    own = ProviderSettings(attest=Attested(training="no", retention=0))

    assert found(card(level=Level.DEVICE), own).level is Level.ZERO_RETENTION
    assert found(card("local"), own, url="https://gpu.example").level is Level.ZERO_RETENTION


def test_a_contract_is_about_the_provider_and_not_about_another_host() -> None:
    own = ProviderSettings(attest=Attested(training="no", retention=0))
    kept = found(card(), own, url="https://gateway.example/v1")

    assert (kept.level, kept.attested) == (Level.UNKNOWN, ())


# ----------------------------------------------------------------------------- what makes it worse


SEARCH = Lowered(
    feature="grounding", level=Level.NO_TRAINING, retention_days=30, note="searches are kept",
    found=("tools.*.google_search", "tools.*.type=web_search", "store=true"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "level"),
    [
        ({}, Level.ZERO_RETENTION),
        ({"tools": []}, Level.ZERO_RETENTION),
        ({"tools": [{"type": "function"}]}, Level.ZERO_RETENTION),
        ({"tools": [{"type": "function"}, {"type": "web_search"}]}, Level.NO_TRAINING),
        ({"tools": [{"google_search": {}}]}, Level.NO_TRAINING),
        ({"store": True}, Level.NO_TRAINING),
        ({"store": False}, Level.ZERO_RETENTION),
        ({"tools": "google_search"}, Level.UNKNOWN),
    ],
)
def test_a_feature_in_the_request_lowers_the_level(body: Any, level: Level) -> None:
    one = card(level=Level.ZERO_RETENTION, retention_days=0, lowered=(SEARCH,))
    kept = found(one, sent=Sent(body=body))

    assert kept.level is level
    days = {Level.ZERO_RETENTION: 0, Level.NO_TRAINING: 30, Level.UNKNOWN: None}
    assert kept.retention_days == days[level]


def test_no_contract_takes_back_what_a_feature_does() -> None:
    own = ProviderSettings(attest=Attested(training="no", retention=0))
    kept = found(card(lowered=(SEARCH,)), own, Sent(body={"store": True}))

    assert (kept.level, kept.retention_days) == (Level.NO_TRAINING, 30)


def test_a_feature_without_a_trace_in_the_body_is_told() -> None:
    batch = Lowered(feature="batch", level=Level.UNKNOWN, note="stored")
    one = card(lowered=(batch,))

    assert found(one).level is Level.NO_TRAINING
    assert found(one, sent=Sent(features=frozenset({"batch"}))).level is Level.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "url", "host", "level"),
    [
        ("api", URL, "pictures.example", Level.UNKNOWN),
        ("local", "http://127.0.0.1:1", "pictures.example", Level.UNKNOWN),
        ("local", "http://127.0.0.1:1", "192.168.1.2", Level.NETWORK),
        ("local", "http://127.0.0.1:1", "localhost", Level.DEVICE),
    ],
)
def test_a_picture_by_its_url_is_asked_of_its_host(
    kind: str, url: str, host: str, level: Level
) -> None:
    assert found(card(kind), sent=Sent(hosts=(host,)), url=url).level is level


# --------------------------------------------------------------------------------------- old facts


@pytest.mark.parametrize(
    ("dates", "today", "level"),
    [
        # 90 days after 2026-11-01 is 2027-01-30.
        ({}, date(2027, 1, 30), Level.NO_TRAINING),
        ({}, date(2027, 1, 31), Level.MAY_TRAIN),
        ({"expires": "2027-03-01"}, date(2027, 3, 1), Level.NO_TRAINING),
        ({"expires": "2026-12-01"}, date(2026, 12, 2), Level.MAY_TRAIN),
    ],
)
def test_old_facts_are_one_step_worse(dates: dict[str, str], today: date, level: Level) -> None:
    kept = found(card(source=source(**dates)), today=today)

    assert kept.level is level
    assert bool(kept.notes) is (level is Level.MAY_TRAIN)


def test_what_was_not_kept_once_is_kept_nobody_knows_how_long() -> None:
    one = card(level=Level.ZERO_RETENTION, retention_days=0, source=source(expires="2026-11-01"))
    kept = found(one)

    assert (kept.level, kept.retention_days) == (Level.NO_TRAINING, None)


def test_nothing_is_worse_than_unknown_however_old() -> None:
    one = card(level=Level.UNKNOWN, source=source(expires="2020-01-01"))

    assert found(one).level is Level.UNKNOWN


# ------------------------------------------------------------------------------------ what is seen


def test_what_is_sent_in_the_clear_is_read_on_the_way() -> None:
    inherited = ProviderSettings(facts="inherit")

    assert found(card(), url="http://api.example.com/v1").level is Level.UNKNOWN
    assert found(card(), inherited, url="http://gateway.example/v1").level is Level.UNKNOWN
    assert found(card(), inherited, url="http://127.0.0.1:1/v1").level is Level.NO_TRAINING


@pytest.mark.parametrize("url", ["http://api.example.com/v1", "HTTP://api.example.com/v1"])
def test_no_contract_hides_what_is_sent_in_the_clear(url: str) -> None:
    own = ProviderSettings(attest=Attested(training="no", retention=0, regions=("RU",)))
    kept = found(card(), own, url=url)

    assert (kept.level, kept.trains, kept.retention_days) == (Level.UNKNOWN, "unknown", None)
    assert (kept.regions, kept.attested) == ((), ())


def test_a_proxy_reads_along_unless_it_is_encrypted() -> None:
    own = ProviderSettings(proxy="http://proxy.example:1")

    assert reached("HTTPS://10.0.0.1/v1", own, Settings()) is Level.NETWORK
    assert reached("HTTP://10.0.0.1/v1", own, Settings()) is Level.UNKNOWN


CLAIM = """
card = 1
id = "{id}"
name = "Mine"
kind = "{kind}"
dialect = "openai_chat"
[endpoint]
base_url = "https://{host}/v1"
[auth]
kind = "key"
env = ["MINE_KEY"]
[[privacy]]
level = "{level}"
trains = "no"
retention_days = 0
human_review = "no"
regions = ["RU"]
source = {{ title = "I say so", checked = "2026-11-01", expires = "2999-12-31" }}
"""


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", f"{tmp_path}/{kind}")
    (tmp_path / "CONFIG" / "providers").mkdir(parents=True)
    return tmp_path / "CONFIG" / "providers"


def claimed(folder: Path, **how: str) -> Standing:
    """The standing of a card of the user's own that claims everything good."""
    how = {"id": "mine", "kind": "api", "level": "device", **how}
    (folder / f"{how['id']}.toml").write_text(CLAIM.format(**how), encoding="utf-8")
    one = catalogue.card(how["id"], Settings())
    return standing(
        one, None, ProviderSettings(), one.endpoint.base_url, Settings(), Sent(), today=TODAY
    )


def test_a_claim_of_the_users_own_card_is_one_and_never_this_machine(folder: Path) -> None:
    kept = claimed(folder, host="llm.mine.example")

    assert kept.level is Level.ZERO_RETENTION
    assert any("your own card claims" in one for one in kept.why)


@pytest.mark.parametrize(
    ("host", "level"),
    [
        ("api.deepseek.com", Level.MAY_TRAIN),
        ("API.DeepSeek.com", Level.MAY_TRAIN),
        ("api.deepseek.com.", Level.MAY_TRAIN),
        ("api.openai.com", Level.NO_TRAINING),
        ("gigachat.devices.sberbank.ru", Level.UNKNOWN),
    ],
)
@pytest.mark.parametrize("id_", ["mine", "groq"])
def test_a_false_claim_about_a_known_host_is_seen_through(
    folder: Path, host: str, level: Level, id_: str
) -> None:
    kept = claimed(folder, host=host, id=id_)

    assert kept.level is level
    assert kept.regions != ("RU",)
    assert (kept.retention_days, kept.human_review) != (0, "no")


@pytest.mark.parametrize("review", ["no", "yes"])
def test_people_read_what_either_card_says_that_they_read(folder: Path, review: str) -> None:
    """OpenAI's own card says that people see what is flagged."""
    (folder / "mine.toml").write_text(
        CLAIM.format(id="mine", kind="api", level="no-training", host="api.openai.com").replace(
            'human_review = "no"', f'human_review = "{review}"'
        ),
        encoding="utf-8",
    )
    mine = catalogue.card("mine", Settings())

    kept = found(mine, url="https://api.openai.com/v1")
    assert kept.human_review == {"no": "flagged", "yes": "yes"}[review]


NAMESAKE = """
[[controls]]
name = "x-data-logging-enabled=false"
header = "{header}"
value = "false"
effect = "so I say"
source = {{ title = "I say so", checked = "2026-11-01" }}
[[privacy]]
level = "zero-retention"
trains = "no"
retention_days = 0
source = {{ title = "I say so", checked = "2026-11-01", expires = "2999-12-31" }}
"""


@pytest.mark.parametrize(
    ("header", "level"),
    [("x-data-logging-enabled", Level.ZERO_RETENTION), ("x-nothing", Level.UNKNOWN)],
)
def test_a_control_of_the_same_name_is_not_the_same(
    folder: Path, header: str, level: Level
) -> None:
    """What the shipped card of the host knows must itself stand in the request."""
    text = CLAIM.format(id="mine", kind="api", level="device", host="ai.api.cloud.yandex.net")
    text = text.partition("[[privacy]]")[0] + NAMESAKE.format(header=header)
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    mine = catalogue.card("mine", Settings())
    sent = carrying(planned(mine, mine.dialect, ProviderSettings(), Settings()))

    assert sent.controls == ("x-data-logging-enabled=false",)
    assert found(mine, sent=sent, url=mine.endpoint.base_url).level is level


def test_a_feature_of_the_shipped_card_counts_for_the_users_own(folder: Path) -> None:
    text = CLAIM.format(id="mine", kind="api", level="device", host="api.openai.com")
    text += 'lowered = [{ feature = "grounding", level = "device", found = ["tools"], note = "n" }]'
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    mine = catalogue.card("mine", Settings())
    url = mine.endpoint.base_url

    for tool in ("mcp", "of which nobody knows"):
        kept = found(mine, sent=Sent(body={"tools": [{"type": tool}]}), url=url)
        assert (kept.level, kept.trains, kept.regions) == (Level.UNKNOWN, "unknown", ())


def test_a_local_card_at_a_known_host_is_not_local(folder: Path) -> None:
    assert claimed(folder, host="api.deepseek.com", kind="local").level is Level.UNKNOWN


def test_inherited_facts_do_not_hold_at_another_providers_host(folder: Path) -> None:
    openai = catalogue.card("openai", Settings())
    own = ProviderSettings(facts="inherit")

    there = found(openai, own, url="https://api.deepseek.com/v1")
    assert there.level is Level.MAY_TRAIN
    assert there.regions == ("CN",)


# ---------------------------------------------------------------------------- tiers, models, hosts


def test_a_tier_that_is_not_stated_is_the_worst(folder: Path) -> None:
    gemini = catalogue.card("gemini", Settings())
    url = gemini.endpoint.base_url

    assert found(gemini, url=url).level is Level.MAY_TRAIN
    paid = ProviderSettings(extra={"tier": "paid"})
    assert (found(gemini, paid, url=url).level, found(gemini, paid, url=url).retention_days) == (
        Level.NO_TRAINING, 55,
    )  # fmt: skip


def test_a_row_speaks_of_its_models_alone(folder: Path) -> None:
    one = card(models=("mine/*",))

    assert found(one, model=Model(id="mine/m")).level is Level.NO_TRAINING
    assert found(one, model=Model(id="theirs/m")).level is Level.UNKNOWN
    assert found(one).level is Level.UNKNOWN


def test_a_region_is_that_of_the_host(folder: Path) -> None:
    mistral = catalogue.card("mistral", Settings())

    assert found(mistral, url="https://api.mistral.ai/v1").regions == ("EU",)
    assert found(mistral, url="https://api.us.mistral.ai/v1").regions == ("US",)


@pytest.mark.parametrize(
    ("provider", "level"),
    [
        ("local", Level.DEVICE),
        ("ollama", Level.DEVICE),
        ("yandexgpt", Level.ZERO_RETENTION),
        ("openai", Level.NO_TRAINING),
        ("openrouter", Level.NO_TRAINING),
        ("gemini", Level.MAY_TRAIN),
        ("mistral", Level.MAY_TRAIN),
        ("deepseek", Level.MAY_TRAIN),
        ("gigachat", Level.UNKNOWN),
        ("huggingface", Level.UNKNOWN),
    ],
)
def test_what_shipped_cards_come_to(folder: Path, provider: str, level: Level) -> None:
    """As the research has it, with what is sent unasked (facts that are not old)."""
    one = catalogue.card(provider, Settings())

    assert usual_level(one, Settings(), today=TODAY) is level
