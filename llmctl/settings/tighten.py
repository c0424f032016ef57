"""Policies of all layers as one: each rule as strict as the strictest layer makes it."""

from collections.abc import Sequence
from dataclasses import replace

from llmctl.settings.layers import Origin
from llmctl.settings.shape import Policy

STRICTNESS = (None, "allow", "redact", "block")


def tightened(layers: Sequence[tuple[Policy, str, str]]) -> tuple[Policy, dict[str, Origin]]:
    """The intersection of (policy, origin kind, place), and for each rule the layer that made it
    what it is."""
    result = Policy()
    origins: dict[str, Origin] = {}
    for policy, kind, place in layers:
        before = result
        result = _both(result, policy)
        for rule in Policy.__dataclass_fields__:
            if getattr(before, rule) != getattr(result, rule):
                origins[rule] = Origin(kind, place, f"policy.{rule}")
    return result, origins


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
