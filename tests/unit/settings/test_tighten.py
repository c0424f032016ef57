"""Policies of layers: however they lie, no rule gets looser, and each names who forbids."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmctl.settings import Policy
from llmctl.settings.layers import Origin
from llmctl.settings.tighten import tightened
from llmctl.types import Level

NAMES = st.sampled_from(["a", "b", "c", "d"])
LISTED = st.lists(NAMES, max_size=4, unique=True).map(tuple)
POLICIES = st.builds(
    Policy,
    max_level=st.none() | st.sampled_from(Level),
    regions=st.none() | LISTED,
    max_retention_days=st.none() | st.integers(0, 400),
    no_training=st.booleans(),
    open_weights=st.booleans(),
    secrets=st.none() | st.sampled_from(["allow", "redact", "block"]),
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
        "log_bodies": after.log_bodies and not before.log_bodies,
        "secrets": secrets[after.secrets] < secrets[before.secrets],
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
