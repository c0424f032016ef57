"""Policies of all layers as one: each rule as strict as the strictest layer makes it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, get_args

from llmctl.settings.layers import Origin
from llmctl.settings.shape import Handling, Policy

T = TypeVar("T")

SECRETS = (None, "allow", "redact", "block")
HANDLINGS: tuple[Handling | None, ...] = (None, *get_args(Handling))
PERMISSIONS = (None, "allow", "flagged", "deny")
LISTS = ("regions", "pii_regions", "licences", "allow", "deny")


def tightened(layers: Sequence[tuple[Policy, Origin]]) -> tuple[Policy, dict[str, Origin]]:
    """The intersection of policies, each with the origin of its table; and for each rule the layer
    that made it what it is. Of rules that are lists, `rule.name` is the first layer that forbids
    the name; of `pii_by`, `pii_by.type` the one that made it as strict as it is."""
    result = Policy()
    origins: dict[str, Origin] = {}
    for policy, origin in layers:
        before = result
        result = _both(result, _tightening(policy, origin))
        for rule in Policy.__dataclass_fields__:
            if getattr(before, rule) != getattr(result, rule):
                origins[rule] = origin.below(rule)
        for kind in result.pii_by:
            if handled(before, kind) != handled(result, kind):
                names = ("pii_by", kind) if kind in policy.pii_by else ("pii",)
                origins[f"pii_by.{kind}"] = origin.below(*names)
    named = {name for policy, _origin in layers for rule in LISTS
             for name in getattr(policy, rule) or ()}  # fmt: skip
    for policy, origin in layers:
        for rule in LISTS:
            for name in named:
                if _forbids(policy, rule, name):
                    origins.setdefault(f"{rule}.{name}", origin.below(rule))
    return result, origins


def _tightening(policy: Policy, origin: Origin) -> Policy:
    """What a layer may say. Where no policy says anything secrets are held back: that they may pass
    is for the user to say, not for a file that came with a repository."""
    if origin.kind == "project" and policy.secrets == "allow":
        return replace(policy, secrets=None)
    return policy


def handled(policy: Policy, kind: str) -> Handling | None:
    """What a policy has done with one type of personal data; None where it says nothing."""
    return policy.pii_by.get(kind, policy.pii)


def _forbids(policy: Policy, rule: str, name: str) -> bool:
    listed = getattr(policy, rule)
    return listed is not None and (name in listed) == (rule == "deny")


def _both(one: Policy, other: Policy) -> Policy:
    levels = [level for level in (one.max_level, other.max_level) if level is not None]
    days = [
        limit
        for limit in (one.max_retention_days, other.max_retention_days)
        if limit is not None
    ]  # fmt: skip
    return replace(
        one,
        max_level=min(levels, key=lambda level: level.rank, default=None),
        regions=_common(one.regions, other.regions),
        max_retention_days=min(days, default=None),
        no_training=one.no_training or other.no_training,
        open_weights=one.open_weights or other.open_weights,
        licences=_common(one.licences, other.licences),
        tunable=one.tunable or other.tunable,
        human_review=_stricter(PERMISSIONS, one.human_review, other.human_review),
        unknown=_stricter(PERMISSIONS, one.unknown, other.unknown),
        secrets=_stricter(SECRETS, one.secrets, other.secrets),
        pii=_stricter(HANDLINGS, one.pii, other.pii),
        pii_by=_by_type(one, other),
        pii_regions=_common(one.pii_regions, other.pii_regions),
        allow=_common(one.allow, other.allow),
        deny=tuple(dict.fromkeys((*one.deny, *other.deny))),
        log_bodies=one.log_bodies and other.log_bodies,
    )


def _stricter(order: Sequence[object], one: T, other: T) -> T:
    """The later of two in an order from the mildest to the strictest."""
    return max(one, other, key=order.index)


def _by_type(one: Policy, other: Policy) -> Mapping[str, Handling]:
    """What happens with each type that either names. Inside a layer a type's own rule beats that
    for all, so a layer that names no rule for the type counts with its rule for all."""
    found = {}
    for kind in (*one.pii_by, *other.pii_by):
        how = _stricter(HANDLINGS, handled(one, kind), handled(other, kind))
        if how is not None:
            found[kind] = how
    return found


def _common(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None:
        return one if other is None else other
    known = {name.casefold() for name in other}  # MIT or mit: a licence is the same in any case
    return tuple(name for name in one if name.casefold() in known)
