"""Verdicts: the level a call reaches, and every rule that may forbid it."""

from pathlib import Path
from typing import Any

import pytest

from llmctl import catalogue
from llmctl.cards import Card, Endpoint, Model, Privacy, Source
from llmctl.privacy.controls import Sent
from llmctl.privacy.policy import judge
from llmctl.settings import Loaded, Policy, ProviderSettings, Settings
from llmctl.settings.layers import Origin
from llmctl.types import Level, Verdict

SOURCE = Source(title="terms", checked="2026-11-01", expires="2999-12-31")
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
        ({"level": Level.NO_TRAINING}, {"no_training": True}, True),
        ({"level": Level.ZERO_RETENTION}, {"no_training": True}, True),
        ({"level": Level.MAY_TRAIN}, {"no_training": True}, False),
        ({"level": Level.UNKNOWN, "trains": "no"}, {"no_training": True}, False),
        ({"level": Level.UNKNOWN}, {"unknown": "deny"}, False),
        ({"level": Level.UNKNOWN}, {"unknown": "allow"}, True),
        ({"level": Level.MAY_TRAIN}, {"unknown": "deny"}, True),
        ({"human_review": "no"}, {"human_review": "deny"}, True),
        ({"human_review": "flagged"}, {"human_review": "deny"}, False),
        ({"human_review": "yes"}, {"human_review": "deny"}, False),
        ({}, {"human_review": "deny"}, False),
        ({"human_review": "flagged"}, {"human_review": "flagged"}, True),
        ({"human_review": "yes"}, {"human_review": "flagged"}, False),
        ({}, {"human_review": "flagged"}, False),
        ({"human_review": "yes"}, {"human_review": "allow"}, True),
        ({}, {"licences": ("MIT",)}, False),
        ({}, {"tunable": True}, False),
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


@pytest.mark.parametrize(
    ("provider", "url", "own", "allowed"),
    [
        ("openai", OPENAI, {}, True),
        ("openai", "https://eu.api.openai.com/v1", {}, True),
        ("openai", "https://api.deepseek.com/v1", {}, False),
        ("openai", "https://api.deepseek.com/v1", {"facts": "inherit"}, False),
        ("openai", "https://gateway.example/v1", {}, False),
        ("openai", "https://gateway.example/v1", {"facts": "inherit"}, True),
        ("vllm", "http://127.0.0.1:8000/v1", {}, True),
        ("vllm", "https://gpu.example/v1", {}, True),
        ("vllm", "https://api.deepseek.com/v1", {}, False),
    ],
)
def test_an_allowed_name_is_worth_what_its_address_is(
    provider: str, url: str, own: Any, allowed: bool
) -> None:
    found = judged(provider, url, {provider: ProviderSettings(**own)}, allow=(provider,))

    assert found.allowed is allowed
    assert found.broken == (() if allowed else ("allow",))
    assert judged(provider, url, {provider: ProviderSettings(**own)}).allowed


def test_a_card_of_ones_own_under_an_allowed_name_is_not_that_provider(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LLMCTL_CONFIG_DIR", str(tmp_path))
    (tmp_path / "providers").mkdir()
    for name, host in (("openai", "llm.example"), ("mine", "mine.example")):
        (tmp_path / "providers" / f"{name}.toml").write_text(
            f'card = 1\nid = "{name}"\nname = "N"\nkind = "api"\ndialect = "openai_chat"\n'
            f'[endpoint]\nbase_url = "https://{host}/v1"\n'
        )

    assert not judged("openai", "https://llm.example/v1", {}, allow=("openai",)).allowed
    assert judged("openai", OPENAI, {}, allow=("openai",)).allowed
    assert judged("mine", "https://mine.example/v1", {}, allow=("mine",)).allowed


def test_a_refusal_names_the_option_that_made_it_unknown() -> None:
    settings = Settings(policy=Policy(max_level=Level.NO_TRAINING, no_training=True))
    sent = Sent(body={"web_search_options": {}})
    found = judge(card(), None, base_url=URL, loaded=Loaded(settings, {}), sent=sent)

    assert found.broken == ("max_level", "no_training")
    assert all("llmctl does not know the option web_search" in one for one in found.reasons)
    assert (found.region, found.retention_days, found.regions) == (None, None, ())


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


def test_the_licence_and_the_tuning_are_facts_of_the_model() -> None:
    model = Model(id="m", licence="MIT", tunable="yes")

    assert verdict(card(), model=model, licences=("MIT",), tunable=True).allowed
    assert verdict(card(), model=model, licences=("mit",)).allowed
    assert not verdict(card(), model=model, licences=("Apache-2.0",)).allowed
    assert not verdict(card(), model=Model(id="m", tunable="unknown"), tunable=True).allowed


# ------------------------------------------------------------------------------- personal data


PERSONAL = Sent(personal=(("email", 2), ("inn", 1)))


def with_personal(one: Card, policy: Policy, url: str = URL) -> Verdict:
    loaded = Loaded(Settings(policy=policy), {})
    return judge(one, None, base_url=url, loaded=loaded, sent=PERSONAL)


def test_personal_data_go_only_where_they_may() -> None:
    abroad = Policy(pii_regions=("RU",))

    assert with_personal(card(regions=("RU",)), abroad).allowed
    refused = with_personal(card(regions=("US",)), abroad)
    assert not refused.allowed
    assert "email (2), inn (1)" in refused.reasons[0]
    assert "its region is US, not RU" in refused.reasons[0]
    assert not with_personal(card(), abroad).allowed, "a region that nobody knows is none of them"
    assert with_personal(card("local"), abroad, "http://127.0.0.1:1").allowed
    assert verdict(card(regions=("US",)), pii_regions=("RU",)).allowed, "there are none in it"


def test_types_that_must_stay_here_do() -> None:
    policy = Policy(pii_by={"email": "local-only", "phone": "local-only"})

    refused = with_personal(card(), policy)
    assert len(refused.reasons) == 1, "no phone is in it, and the INN may go"
    assert "email (2)" in refused.reasons[0]
    assert with_personal(card("local"), policy, "http://10.0.0.1:1").allowed
    assert not with_personal(card("local"), policy, "http://8.8.8.8:1").allowed
    assert len(with_personal(card(), Policy(pii="local-only")).reasons) == 2
