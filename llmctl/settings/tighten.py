"""Policies of all layers as one: each rule as strict as the strictest layer makes it."""

from collections.abc import Sequence
from dataclasses import replace

from llmctl.settings.layers import Origin
from llmctl.settings.shape import Policy

STRICTNESS = (None, "allow", "redact", "block")
LISTS = ("regions", "allow", "deny")


def tightened(layers: Sequence[tuple[Policy, Origin]]) -> tuple[Policy, dict[str, Origin]]:
    """The intersection of policies, each with the origin of its table; and for each rule the layer
    that made it what it is. Of rules that are lists, `rule.name` is the first layer that forbids
    the name."""
    result = Policy()
    origins: dict[str, Origin] = {}
    for policy, origin in layers:
        before = result
        result = _both(result, policy)
        for rule in Policy.__dataclass_fields__:
            if getattr(before, rule) != getattr(result, rule):
                origins[rule] = origin.below(rule)
    named = {name for policy, _origin in layers for rule in LISTS
             for name in getattr(policy, rule) or ()}  # fmt: skip
    for policy, origin in layers:
        for rule in LISTS:
            for name in named:
                if _forbids(policy, rule, name):
                    origins.setdefault(f"{rule}.{name}", origin.below(rule))
    return result, origins


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
        secrets=max(one.secrets, other.secrets, key=STRICTNESS.index),
        allow=_common(one.allow, other.allow),
        deny=tuple(dict.fromkeys((*one.deny, *other.deny))),
        log_bodies=one.log_bodies and other.log_bodies,
    )


def _common(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None:
        return one if other is None else other
    return tuple(name for name in one if name in other)
