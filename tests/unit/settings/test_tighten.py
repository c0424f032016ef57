"""Policies of layers: however they lie, no rule gets looser, and each names who forbids."""

from itertools import permutations
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmctl.settings import Handling, Policy
from llmctl.settings.layers import Origin
from llmctl.settings.tighten import tightened
from llmctl.types import Level

NAMES = st.sampled_from(["a", "b", "c", "d"])
LISTED = st.lists(NAMES, max_size=4, unique=True).map(tuple)
HANDLED = st.sampled_from(get_args(Handling))
PERMITTED = st.none() | st.sampled_from(["allow", "deny"])
TYPES = ("email", "inn", "phone")
POLICIES = st.builds(
    Policy,
    max_level=st.none() | st.sampled_from(Level),
    regions=st.none() | LISTED,
    max_retention_days=st.none() | st.integers(0, 400),
    no_training=st.booleans(),
    open_weights=st.booleans(),
    human_review=PERMITTED | st.just("flagged"),
    unknown=PERMITTED,
    licences=st.none() | LISTED,
    tunable=st.booleans(),
    secrets=st.none() | st.sampled_from(["allow", "redact", "block"]),
    pii=st.none() | HANDLED,
    pii_by=st.dictionaries(st.sampled_from(TYPES), HANDLED),
    pii_regions=st.none() | LISTED,
    allow=st.none() | LISTED,
    deny=LISTED,
    log_bodies=st.booleans(),
)
LAYERS = st.lists(POLICIES, min_size=1, max_size=5)


def whole(*layers: Policy) -> Policy:
    return tightened([(one, Origin("user")) for one in layers])[0]


def loosened(before: Policy, after: Policy) -> list[str]:
    """The rules of `before` that let more through in `after`, each by what it means."""
    levels = {level: level.rank for level in Level}
    secrets = {None: 0, "allow": 0, "redact": 1, "block": 2}
    permitted = {None: 0, "allow": 0, "flagged": 1, "deny": 2}
    strict = {None: 0, "allow": 0, "warn": 1, "redact": 2, "local-only": 3, "block": 4}

    def handling(policy: Policy, kind: str) -> int:
        return strict[policy.pii_by.get(kind, policy.pii)]

    rules = {
        "max_level": before.max_level is not None
        and (after.max_level is None or levels[after.max_level] > levels[before.max_level]),
        "max_retention_days": before.max_retention_days is not None
        and (
            after.max_retention_days is None or after.max_retention_days > before.max_retention_days
        ),
        "regions": before.regions is not None
        and (after.regions is None or not set(after.regions) <= set(before.regions)),
        "allow": before.allow is not None
        and (after.allow is None or not set(after.allow) <= set(before.allow)),
        "deny": not set(before.deny) <= set(after.deny),
        "no_training": before.no_training and not after.no_training,
        "open_weights": before.open_weights and not after.open_weights,
        "tunable": before.tunable and not after.tunable,
        "licences": before.licences is not None
        and (after.licences is None or not set(after.licences) <= set(before.licences)),
        "log_bodies": after.log_bodies and not before.log_bodies,
        "secrets": secrets[after.secrets] < secrets[before.secrets],
        "human_review": permitted[after.human_review] < permitted[before.human_review],
        "unknown": permitted[after.unknown] < permitted[before.unknown],
        "pii": handling(after, "a type nobody names") < handling(before, "a type nobody names"),
        "pii_by": any(handling(after, kind) < handling(before, kind) for kind in TYPES),
        "pii_regions": before.pii_regions is not None
        and (after.pii_regions is None or not set(after.pii_regions) <= set(before.pii_regions)),
    }
    assert rules.keys() == Policy.__dataclass_fields__.keys(), "a rule is not looked at"
    return [rule for rule, is_looser in rules.items() if is_looser]


@given(LAYERS)
def test_no_rule_of_any_layer_gets_looser(layers: list[Policy]) -> None:
    result = whole(*layers)

    for layer in layers:
        assert loosened(layer, result) == []


@given(LAYERS, POLICIES)
def test_one_more_layer_only_tightens(layers: list[Policy], more: Policy) -> None:
    assert loosened(whole(*layers), whole(*layers, more)) == []


@given(st.lists(POLICIES, min_size=2, max_size=3))
def test_the_order_of_layers_changes_nothing(layers: list[Policy]) -> None:
    results = [whole(*order) for order in permutations(layers)]

    for other in results[1:]:
        assert loosened(results[0], other) == loosened(other, results[0]) == []


@given(POLICIES)
def test_a_layer_alone_is_as_strict_as_it_says_and_no_stricter(layer: Policy) -> None:
    result = whole(layer)

    assert loosened(result, layer) == []


@pytest.mark.parametrize(
    ("layers", "email", "inn"),
    [
        pytest.param([{"pii": "block", "pii_by": {"email": "warn"}}], "warn", "block", id="own"),
        pytest.param(
            [{"pii": "block", "pii_by": {"email": "warn"}}, {"pii": "redact"}],
            "redact", "block", id="the rule for all of another layer",
        ),
        pytest.param(
            [{"pii_by": {"email": "local-only"}}, {"pii_by": {"email": "redact", "inn": "warn"}}],
            "local-only", "warn", id="the stricter of two",
        ),
        pytest.param(
            [{"pii": "redact"}, {"pii_by": {"email": "allow"}}], "redact", "redact",
            id="an exception in another layer is none",
        ),
    ],
)  # fmt: skip
def test_of_personal_data_a_types_own_rule_beats_that_for_all_of_its_layer_only(
    layers: list[dict[str, Any]], email: str, inn: str
) -> None:
    result = whole(*(Policy(**one) for one in layers))

    assert [result.pii_by.get(kind, result.pii) for kind in ("email", "inn")] == [email, inn]


def test_the_place_of_a_types_rule_is_where_it_became_as_strict_as_it_is() -> None:
    named = places(
        ("system", {"pii": "redact"}),
        ("user", {"pii_by": {"email": "block", "inn": "warn"}}),
    )

    assert (named["pii"], named["pii_by.email"]) == ("system", "user")
    assert "pii_by.inn" not in named or named["pii_by.inn"] == "system"


@pytest.mark.parametrize(
    ("kind", "secrets"), [("user", "allow"), ("flag", "allow"), ("project", None)]
)
def test_a_projects_file_does_not_let_secrets_through(kind: str, secrets: str | None) -> None:
    policy, _origins = tightened([(Policy(secrets="allow"), Origin(kind))])

    assert policy.secrets == secrets


def test_nothing_forbidden_is_nothing_forbidden() -> None:
    assert whole() == whole(Policy()) == Policy()


def places(*layers: tuple[str, dict[str, Any]]) -> dict[str, str]:
    """Who is named for each rule, by the kind of layer."""
    _policy, origins = tightened([(Policy(**rules), Origin(kind)) for kind, rules in layers])
    return {rule: origin.kind for rule, origin in origins.items()}


def test_the_layer_that_made_a_rule_what_it_is_is_named() -> None:
    named = places(
        ("system", {"max_level": Level.NO_TRAINING, "max_retention_days": 30}),
        ("user", {"max_level": Level.ZERO_RETENTION, "max_retention_days": 90}),
        ("flag", {"no_training": True}),
    )

    assert (named["max_level"], named["max_retention_days"], named["no_training"]) == (
        "user", "system", "flag",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "name", "kind"),
    [
        ("deny", "a", "system"),
        ("deny", "b", "user"),
        ("allow", "a", "project"),
        ("allow", "c", "user"),
        ("regions", "EU", "flag"),
    ],
)
def test_of_a_list_the_layer_that_forbids_a_name_is_named(rule: str, name: str, kind: str) -> None:
    named = places(
        ("system", {"deny": ("a",)}),
        ("user", {"deny": ("a", "b"), "allow": ("a", "b")}),
        ("project", {"allow": ("b", "c"), "regions": ("RU", "EU")}),
        ("flag", {"regions": ("RU",)}),
    )

    assert named[f"{rule}.{name}"] == kind


def test_the_place_of_a_rule_is_below_that_of_its_table() -> None:
    profile = Origin("profile", "config.toml", "profiles.work.policy")

    _policy, origins = tightened([(Policy(no_training=True), profile)])

    assert origins["no_training"].key == "profiles.work.policy.no_training"


def test_a_licence_is_the_same_in_any_case() -> None:
    file, flag = Policy(licences=("MIT", "Apache-2.0")), Policy(licences=("mit",))

    assert whole(file, flag).licences == ("MIT",)
