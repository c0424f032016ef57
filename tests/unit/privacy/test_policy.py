"""Verdicts: the level a call reaches, and every rule that may forbid it."""

from typing import Any

import pytest

from llmctl import catalogue
from llmctl.cards import Card, Endpoint, Model, Privacy, Source
from llmctl.privacy.policy import judge
from llmctl.settings import Attested, Loaded, Policy, ProviderSettings, Settings
from llmctl.settings.layers import Origin
from llmctl.types import Level, Verdict

SOURCE = Source(title="terms", checked="2026-11-01")
URL = "https://api.example.com/v1"


def card(kind: Any = "api", **facts: Any) -> Card:
    row = Privacy(**{"level": Level.NO_TRAINING, "source": SOURCE, **facts})
    return Card(
        card=1, id="a", name="A", kind=kind, dialect="openai_chat",
        endpoint=Endpoint(base_url=URL), privacy=(row,),
    )  # fmt: skip


def verdict(
    one: Card,
    *,
    url: str = URL,
    own: ProviderSettings | None = None,
    model: Model | None = None,
    elsewhere: bool = False,
    **policy: Any,
) -> Verdict:
    settings = Settings(policy=Policy(**policy), providers={"a": own} if own else {})
    origins = {f"policy.{rule}": Origin("user", "", f"policy.{rule}") for rule in policy}
    return judge(one, model, base_url=url, loaded=Loaded(settings, origins), elsewhere=elsewhere)


def test_the_cards_facts_hold_for_its_host() -> None:
    found = verdict(card(retention_days=30, regions=("EU",)))

    assert (
        found.allowed, found.level, found.retention_days, found.region, found.facts_checked
    ) == (True, Level.NO_TRAINING, 30, "EU", "2026-11-01")  # fmt: skip


def test_another_host_is_unknown_unless_the_facts_are_inherited() -> None:
    url = "https://gateway.example.org/v1"

    assert Level.UNKNOWN is verdict(card(), url=url).level
    inherited = ProviderSettings(facts="inherit")
    assert Level.NO_TRAINING is verdict(card(), url=url, own=inherited).level


def test_an_api_on_a_loopback_address_is_not_the_device() -> None:
    assert Level.UNKNOWN is verdict(card(), url="http://127.0.0.1:8080/v1").level


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("http://127.0.0.1:11434", Level.DEVICE),
        ("http://127.8.8.8", Level.DEVICE),
        ("http://[::1]:11434", Level.DEVICE),
        ("http://localhost", Level.DEVICE),
        ("http://192.168.1.5", Level.NETWORK),
        ("http://10.0.0.1", Level.NETWORK),
        ("http://[fd00::1]", Level.NETWORK),
        ("http://box.local", Level.NETWORK),
        ("http://8.8.8.8", Level.UNKNOWN),
        ("http://0.0.0.0", Level.UNKNOWN),
        ("https://ollama.com", Level.UNKNOWN),
        ("http://localhost.evil.example", Level.UNKNOWN),
    ],
)
def test_how_far_a_local_server_is(url: str, level: Level) -> None:
    assert level is verdict(card("local"), url=url).level


def test_a_local_server_that_passes_the_call_on_is_unknown() -> None:
    found = verdict(card("local"), url="http://127.0.0.1", elsewhere=True, max_level=Level.DEVICE)

    assert Level.UNKNOWN is found.level
    assert not found.allowed


@pytest.mark.parametrize("rule", [{"no_training": True}, {"max_retention_days": 30}])
def test_a_local_cards_facts_do_not_hold_elsewhere(rule: dict[str, Any]) -> None:
    local = card("local", trains="no", retention_days=0)

    assert verdict(local, url="http://127.0.0.1", **rule).allowed
    assert not verdict(local, url="http://127.0.0.1", elsewhere=True, **rule).allowed
    assert not verdict(local, url="https://ollama.com", **rule).allowed


def test_the_model_inside_the_process_is_the_device() -> None:
    assert verdict(card("embedded"), url="llama:///x.gguf", max_level=Level.DEVICE).allowed


def test_without_a_tier_the_worst_holds() -> None:
    free = Privacy(level=Level.MAY_TRAIN, tier="free", source=SOURCE)
    paid = Privacy(level=Level.NO_TRAINING, tier="paid", source=SOURCE)
    both = Card(
        card=1, id="a", name="A", kind="api", dialect="openai_chat",
        endpoint=Endpoint(base_url=URL), privacy=(paid, free),
    )  # fmt: skip

    assert Level.MAY_TRAIN is verdict(both).level
    assert Level.NO_TRAINING is verdict(both, own=ProviderSettings(extra={"tier": "paid"})).level


def test_only_an_attestation_that_the_card_knows_lifts_the_level() -> None:
    known = card(attestable={"zdr": Level.ZERO_RETENTION})

    lifted = verdict(known, own=ProviderSettings(attest={"zdr": Attested(by="me")}))
    assert Level.ZERO_RETENTION is lifted.level
    other = verdict(known, own=ProviderSettings(attest={"magic": Attested()}))
    assert Level.NO_TRAINING is other.level


@pytest.mark.parametrize(
    ("facts", "policy", "allowed"),
    [
        ({}, {"max_level": Level.NO_TRAINING}, True),
        ({}, {"max_level": Level.ZERO_RETENTION}, False),
        ({"regions": ("RU",)}, {"regions": ("RU",)}, True),
        ({"regions": ("RU", "US")}, {"regions": ("RU",)}, False),
        ({}, {"regions": ("RU",)}, False),
        ({"retention_days": 30}, {"max_retention_days": 30}, True),
        ({"retention_days": 31}, {"max_retention_days": 30}, False),
        ({}, {"max_retention_days": 30}, False),
        ({"trains": "no"}, {"no_training": True}, True),
        ({"trains": "unknown"}, {"no_training": True}, False),
        ({"trains": "yes"}, {"no_training": True}, False),
        ({}, {"allow": ("a",)}, True),
        ({}, {"allow": ("b",)}, False),
        ({}, {"deny": ("b",)}, True),
        ({}, {"deny": ("a",)}, False),
        ({}, {"open_weights": True}, False),
    ],
)
def test_each_rule(facts: dict[str, Any], policy: dict[str, Any], allowed: bool) -> None:
    found = verdict(card(**facts), **policy)

    assert allowed is found.allowed
    assert allowed is not bool(found.reasons)


def test_open_weights_are_a_fact_of_the_model() -> None:
    opened = Model(id="m", open_weights=True)

    assert verdict(card(), model=opened, open_weights=True).allowed


def test_every_broken_rule_is_named() -> None:
    found = verdict(card(), max_level=Level.DEVICE, regions=("RU",), deny=("a",))

    assert len(found.reasons) == 3


def test_the_reason_names_the_place() -> None:
    loaded = Loaded(
        Settings(policy=Policy(deny=("a",))), {"policy.deny": Origin("flag", "policy.deny")}
    )

    found = judge(card(), None, base_url=URL, loaded=loaded)

    assert "(flag policy.deny)" in found.reasons[0]


# ----------------------------------------------------------------- what may not get round a policy


def judged(
    provider: str, base_url: str, own: dict[str, ProviderSettings], **policy: Any
) -> Verdict:
    """The verdict for a provider of these settings, by its card."""
    settings = Settings(policy=Policy(**policy), providers=own)
    return judge(
        catalogue.card(provider, settings), None, base_url=base_url, loaded=Loaded(settings, {})
    )


OPENAI = "https://api.openai.com/v1"


def test_a_second_account_is_denied_and_allowed_with_the_first() -> None:
    own = {"work": ProviderSettings(extends="openai"), "more": ProviderSettings(extends="work")}

    assert not judged("more", OPENAI, own, deny=("openai",)).allowed
    assert not judged("work", OPENAI, own, deny=("work",)).allowed
    assert judged("openai", OPENAI, own, deny=("work",)).allowed
    assert judged("more", OPENAI, own, allow=("openai",)).allowed
    assert not judged("more", OPENAI, own, allow=("vllm",)).allowed


def test_the_address_of_a_denied_provider_is_denied_under_any_name() -> None:
    assert not judged("vllm", OPENAI, {}, deny=("openai",)).allowed
    assert judged("vllm", "http://127.0.0.1:8000/v1", {}, deny=("openai", "nobody")).allowed
    assert judged("vllm", "http://127.0.0.1:8000/v1", {}, deny=("llamacpp",)).allowed


def test_facts_of_a_local_card_do_not_hold_at_a_distant_server() -> None:
    local = card("local", level=Level.DEVICE, trains="no", retention_days=0)

    for rule in ({"no_training": True}, {"max_retention_days": 0}):
        assert verdict(local, url="http://127.0.0.1:8000/v1", **rule).allowed
        assert not verdict(local, url="https://gpu.example.com/v1", **rule).allowed
        assert not verdict(local, url="http://127.0.0.1:1", elsewhere=True, **rule).allowed
    assert verdict(local, url="https://gpu.example.com/v1").retention_days is None


@pytest.mark.parametrize(
    ("host", "level"),
    [
        ("[::ffff:127.0.0.1]", Level.DEVICE),
        ("[::ffff:10.0.0.1]", Level.NETWORK),
        ("[::ffff:8.8.8.8]", Level.UNKNOWN),
        ("2130706433", Level.UNKNOWN),
        ("127.1", Level.UNKNOWN),
        ("me@8.8.8.8", Level.UNKNOWN),
        ("127.0.0.1@evil.example", Level.UNKNOWN),
    ],
)
def test_addresses_in_disguise(host: str, level: Level) -> None:
    assert level is verdict(card("local"), url=f"http://{host}/v1").level


def test_a_verdict_lists_only_statements_that_count() -> None:
    known = card(attestable={"zdr": Level.ZERO_RETENTION})
    own = ProviderSettings(attest={"zdr": Attested(by="me"), "magic": Attested()})

    assert verdict(known, own=own).attested == ("zdr",)
    assert verdict(known, own=own, url="https://gateway.example/v1").attested == ()


def test_of_a_list_the_place_that_forbids_is_named() -> None:
    """The user's own list came last and allows what the machine's does not."""
    policy = Policy(deny=("a", "b"), regions=())
    origins = {
        "policy.deny": Origin("user", "", "policy.deny"),
        "policy.deny.a": Origin("flag", "SYSTEM-DENY"),
        "policy.regions": Origin("user", "", "policy.regions"),
        "policy.regions.EU": Origin("flag", "SYSTEM-REGIONS"),
    }

    found = judge(
        card(regions=("EU",)), None, base_url=URL, loaded=Loaded(Settings(policy=policy), origins)
    )

    assert "SYSTEM-REGIONS" in found.reasons[0]
    assert "SYSTEM-DENY" in found.reasons[1]


@pytest.mark.parametrize(
    ("url", "proxy", "level"),
    [
        ("http://192.168.1.9:8000/v1", None, Level.NETWORK),
        ("http://192.168.1.9:8000/v1", "http://10.0.0.1:3128", Level.NETWORK),
        ("http://192.168.1.9:8000/v1", "http://proxy.example:3128", Level.UNKNOWN),
        # Through TLS a proxy sees nothing but the name of the host.
        ("https://192.168.1.9:8000/v1", "http://proxy.example:3128", Level.NETWORK),
        # This machine is reached directly whatever is set.
        ("http://127.0.0.1:8000/v1", "http://proxy.example:3128", Level.DEVICE),
    ],
)
def test_what_a_proxy_reads_has_left_the_network(
    url: str, proxy: str | None, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    own = ProviderSettings(proxy=proxy)

    assert verdict(card(kind="local"), url=url, own=own).level is level


@pytest.mark.parametrize("host", ["localhost.", "localhost.localdomain", "[::ffff:127.0.0.1]"])
def test_every_spelling_of_this_machine_is_this_machine(host: str) -> None:
    assert verdict(card(kind="local"), url=f"http://{host}:1/v1").level is Level.DEVICE


@pytest.mark.parametrize(("secrets", "allowed"), [("allow", True), ("redact", False)])
def test_a_search_that_cannot_be_made_yet_is_not_pretended(secrets: str, allowed: bool) -> None:
    assert verdict(card(), secrets=secrets).allowed is allowed
