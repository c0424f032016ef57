"""What one `llmctl ask` was asked for: its flags as a value, and the call they make."""

import json
from collections.abc import Mapping
from typing import TypeVar

from llmctl.cli.stdin import Prompt
from llmctl.dialects import OWN_FIELDS
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.choose import refuse_two
from llmctl.output.encoding import known
from llmctl.settings import Settings
from llmctl.templates.shape import Rendered
from llmctl.types import Chat, Complete, Json, Message, Role, Text, message
from llmctl.values import dataclass, replace

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
class Asked:
    """Field by field the options of `ask` (see options.py); None and False mean not given."""

    prompt: str | None = None
    model: str | None = None
    system: str | None = None
    option: list[str] | None = None
    template: str | None = None
    param: list[str] | None = None
    extract: bool = False
    continue_: bool = False
    cid: str | None = None
    usage: bool = False
    schema: str | None = None
    repair: bool = False
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    stop: list[str] | None = None
    complete: bool = False
    no_stream: bool = False
    json: bool = False
    events: bool = False
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
    attachment: list[str] | None = None
    max_cost: str | None = None
    allow_unknown_cost: bool = False
    tag: str | None = None
    dry_run: bool = False
    profile: str | None = None
    no_stdin: bool = False
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
                    hint=_("see what it takes: llmctl ask --help"),
                )
        pairs(self.option, "-o")
        pairs(self.param, "-p")
        refuse_two(self.json + self.events + self.extract)
        if self.encoding is not None:
            known(self.encoding)
        files = self.attachment[0] if self.attachment else None
        chat_only = {
            "-t": self.template, "-s": self.system, "--schema": self.schema, "-a": files,
        }  # fmt: skip
        if self.complete and (flag := next((one for one in chat_only if chat_only[one]), None)):
            raise UsageError(
                _("--complete continues a text; it has no use for {flag}", flag=flag),
                hint=_("leave one of the two out"),
            )


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


def make_call(
    asked: Asked,
    prompt: Prompt,
    settings: Settings,
    *,
    rendered: Rendered | None,
    history: tuple[Message, ...],
    schema: Mapping[str, Json] | None,
    model: str,
    attached: tuple[Text, ...] = (),
) -> Chat | Complete:
    """The call that the flags, the template, the settings and the conversation so far make."""
    defaults = settings.defaults
    options = {
        **defaults.options,
        **(rendered.options if rendered else {}),
        **request_fields(asked.option),
    }
    if own_field := next((name for name in options if name in OWN_FIELDS), None):
        raise UsageError(
            _("{name} is no option: it is what the call itself says", name=own_field),
            hint=_("the model is given with -m, instructions with -s, the prompt as an argument"),
        )
    own = rendered or Rendered(system=None, messages=())
    max_tokens = first(asked.max_tokens, own.max_tokens, defaults.max_tokens)
    temperature = first(asked.temperature, own.temperature, defaults.temperature)
    seed = first(asked.seed, defaults.seed)
    stop = tuple(asked.stop or ())
    if asked.complete:
        return Complete(
            model, prompt.text(), max_tokens, temperature, seed, stop, not asked.no_stream, options
        )
    asked_now = rendered.messages if rendered else with_files(prompt, attached)
    if rendered and attached:
        *before, last = rendered.messages
        asked_now = (*before, replace(last, parts=(*attached, *last.parts)))
    if asked.system is not None:  # said now, so it holds instead of what was said before
        history = tuple(one for one in history if one.role is not Role.SYSTEM)
    system = first(asked.system, own.system, defaults.system)
    opening: tuple[Message, ...] = ()
    if system and not any(one.role is Role.SYSTEM for one in history):
        opening = (message(Role.SYSTEM, system),)
    return Chat(
        model=model,
        messages=(*opening, *history, *asked_now),
        max_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
        stop=stop,
        schema=schema,
        stream=not asked.no_stream,
        options=options,
    )


def with_files(prompt: Prompt, attached: tuple[Text, ...]) -> tuple[Message, ...]:
    """The prompt as a message, the files before it; files alone are a prompt, too."""
    if attached and not (prompt.input or prompt.argument):
        *before, last = attached
        return (Message(Role.USER, (*before, replace(last, text=last.text.rstrip("\n")))),)
    return (Message(Role.USER, (*attached, Text(prompt.text()))),)


def first(*choices: T | None) -> T | None:
    """The first that was given."""
    return next((one for one in choices if one is not None), None)
