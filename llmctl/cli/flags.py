"""The flags that mean the same in every command that asks a model: which model, what may become of
the data, what it may cost, how long it may take. Most are settings under another name."""

import json
from collections.abc import Mapping
from typing import TypeVar

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.encoding import known
from llmctl.settings.examples import example_hint
from llmctl.types import Json
from llmctl.values import dataclass

T = TypeVar("T")

# What --require takes, by the setting of the policy that it is.
VALUED_RULES = ("region=RU", "max-retention=30", "licence=MIT")
BARE_RULES: Mapping[str, tuple[str, Json]] = {
    "no-training": ("no_training", True),
    "no-human-review": ("human_review", "deny"),
    "known": ("unknown", "deny"),
    "open-weights": ("open_weights", True),
    "tunable": ("tunable", True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Field by field the options of options.py; None and False mean not given."""

    model: str | None = None
    option: list[str] | None = None
    json: bool = False
    output: str | None = None
    encoding: str | None = None
    no_log: bool = False
    log: str | None = None
    timeout: float | None = None
    idle_timeout: float | None = None
    privacy: str | None = None
    local_only: bool = False
    require: str | None = None
    redact: bool = False
    redact_names: str | None = None
    secrets: str | None = None
    allow_logging: bool = False
    max_cost: str | None = None
    allow_unknown_cost: bool = False
    tag: str | None = None
    dry_run: bool = False
    profile: str | None = None
    no_input: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False

    def settings_flags(self) -> dict[str, Json]:
        """The flags that are settings of their own, by key."""
        flags: dict[str, Json] = {
            "defaults.model": self.model,
            "log.mode": "off" if self.no_log else self.log,
            "network.timeout": self.timeout,
            "network.idle_timeout": self.idle_timeout,
            "policy.max_level": "device" if self.local_only else self.privacy,
            "policy.secrets": first(self.secrets, "redact" if self.redact else None),
            "policy.pii": "redact" if self.redact else None,
            "privacy.allow_logging": self.allow_logging or None,
            "privacy.redact_names": self.redact_names,
            "budget.per_call": self.max_cost,
            "budget.allow_unknown_cost": self.allow_unknown_cost or None,
            "output.encoding": self.encoding,
            **required(self.require),
        }
        return {key: value for key, value in flags.items() if value is not None}

    def spelt(self) -> dict[str, str]:
        """How each of those flags was written, for messages."""
        names = {
            "defaults.model": "--model",
            "log.mode": "--no-log" if self.no_log else "--log",
            "network.timeout": "--timeout",
            "network.idle_timeout": "--idle-timeout",
            "policy.max_level": "--local-only" if self.local_only else "--privacy",
            "policy.secrets": "--secrets" if self.secrets else "--redact",
            "policy.pii": "--redact",
            "privacy.allow_logging": "--allow-logging",
            "privacy.redact_names": "--redact-names",
            "budget.per_call": "--max-cost",
            "budget.allow_unknown_cost": "--allow-unknown-cost",
            "output.encoding": "--encoding",
        }
        return {**dict.fromkeys(required(self.require), "--require"), **names}

    def check(self) -> None:
        """Raises UsageError for what is wrong whatever the settings say, before anything is read:
        a prompt from standard input may take long to come."""
        if self.model is not None and not self.model.strip():
            raise UsageError(
                _("-m names no model"),
                hint=_("leave it out for the default: llmctl models default"),
            )
        if self.tag is not None and not self.tag.strip():
            raise UsageError(_("--tag needs a name"), hint=_("leave it out for none"))
        guards = {"--require": self.require, "--redact-names": self.redact_names,
                  "--privacy": self.privacy, "--secrets": self.secrets}  # fmt: skip
        for guard, value in guards.items():
            if value is not None and not value.strip(" ,"):
                raise UsageError(
                    _("{flag} is empty, so it would guard nothing", flag=guard),
                    hint=example_hint(guard),
                )
        pairs(self.option, "-o")
        if self.encoding is not None:
            known(self.encoding)


def required(rules: str | None) -> dict[str, Json]:
    """`region=RU,max-retention=30,no-training,open-weights,...` as policy settings. A rule with a
    value that is given more than once allows each of them."""
    flags: dict[str, Json] = {}
    for rule in filter(None, (one.strip() for one in (rules or "").split(","))):
        name, equals, value = rule.partition("=")
        match name:
            case "region" if value:
                flags.setdefault("policy.regions", []).append(value.upper())
            case "licence" | "license" if value:
                flags.setdefault("policy.licences", []).append(value)
            case "max-retention" if value.isascii() and value.isdigit():
                flags["policy.max_retention_days"] = int(value)
            case _ if name in BARE_RULES and not equals:
                setting, meant = BARE_RULES[name]
                flags[f"policy.{setting}"] = meant
            case _:
                raise UsageError(
                    _("--require does not know {rule}", rule=rule),
                    hint=_("rules: {rules}", rules=", ".join((*VALUED_RULES, *BARE_RULES))),
                )
    return flags


def pairs(given: list[str] | None, flag: str) -> dict[str, str]:
    """`KEY=VALUE` items as a mapping; raises UsageError for an item without `=`."""
    found: dict[str, str] = {}
    for item in given or ():
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise UsageError(
                _("{flag} takes KEY=VALUE, not {item}", flag=flag, item=item),
                hint=_("to write the answer to a file: --output FILE"),
            )
        found[key.strip()] = value
    return found


def request_fields(given: list[str] | None) -> dict[str, Json]:
    """`-o KEY=VALUE`: the value is JSON where it reads as JSON, else text."""

    def read(value: str) -> Json:
        try:
            return json.loads(value)
        except ValueError:
            return value

    return {key: read(value) for key, value in pairs(given, "-o").items()}


def first(*choices: T | None) -> T | None:
    """The first that was given."""
    return next((one for one in choices if one is not None), None)
