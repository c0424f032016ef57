"""docs/privacy-table.md: one prompt, sent to several providers under each policy."""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from llmctl import settings
from llmctl.cli.asked import Asked
from llmctl.cli.attempt import attempt
from llmctl.cli.one import prepared
from llmctl.cli.stdin import Prompt
from llmctl.engine.clearance import cleared
from llmctl.engine.resolve import resolve
from llmctl.errors import LlmctlError, PrivacyRefused
from llmctl.types import Event, Receipt
from llmctl.values import replace
from tests.e2e.harness import Llmctl
from tests.matrix.play import OFTEN
from tests.simulator import Simulator

# Facts get old, and the table is of those that are not.
TODAY = date(2026, 11, 25)
PROMPT = "Draft a reply to anna.petrova@example.org"


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody's account: the model, and the provider's settings in their file."""

    name: str
    model: str
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def provider(self) -> str:
        return self.model.partition("/")[0]


ASKERS = (
    Asker("GigaChat", "gigachat/GigaChat-2-Max"),
    Asker(
        "GigaChat, attested",
        "gigachat/GigaChat-2-Max",
        {"attest": '{ training = "no", regions = ["RU"], document = "contract 7" }'},
    ),
    Asker("Yandex", "yandexgpt/yandexgpt"),
    Asker("Gemini, free", "gemini/gemini-4-argon", {"tier": '"free"'}),
    Asker("Gemini, paid", "gemini/gemini-4-argon", {"tier": '"paid"'}),
    Asker("OpenAI", "openai/gpt-6-luna"),
    Asker("local", "llamacpp/mock"),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy as its user writes it: flags of `ask`, or lines of the table [policy]."""

    says: str
    flags: Mapping[str, object] = field(default_factory=dict)
    table: str = ""


def of_flags(says: str, **flags: object) -> Rule:
    return Rule(says, flags)


def of_table(line: str, **flags: object) -> Rule:
    return Rule(f"{line}, --redact" if flags else line, flags, f"[policy]\n{line}\n")


RULES = (
    of_flags("(none)"),
    of_flags("--privacy may-train", privacy="may-train"),
    of_flags("--privacy no-training", privacy="no-training"),
    of_flags("--privacy zero-retention", privacy="zero-retention"),
    of_flags("--privacy network", privacy="network"),
    of_flags("--local-only", local_only=True),
    of_flags("--require no-training", require="no-training"),
    of_flags("--require region=RU", require="region=RU"),
    of_flags("--require max-retention=30", require="max-retention=30"),
    of_flags("--require no-human-review", require="no-human-review"),
    of_flags("--require open-weights", require="open-weights"),
    of_flags(
        "--require region=RU,max-retention=30,no-training,open-weights",
        require="region=RU,max-retention=30,no-training,open-weights",
    ),
    of_flags("--allow-logging --privacy no-training", privacy="no-training", allow_logging=True),
    of_table('unknown = "deny"'),
    of_table('human_review = "flagged"'),
    of_table('deny = ["gemini", "openai"]'),
    of_table('allow = ["yandexgpt", "llamacpp"]'),
    of_table('pii_regions = ["RU"]'),
    of_table('pii_regions = ["RU"]', redact=True),
    of_table('pii = "local-only"'),
    of_table('pii = "block"'),
)


@dataclass(frozen=True, slots=True)
class Came:
    """What became of the prompt: the level it was sent at, or what refused it; how many requests
    the simulator saw, and how many of them ask a model (the others ask for a token)."""

    level: str | None
    controls: tuple[str, ...]
    refusal: PrivacyRefused | None
    requests: int
    calls: int


class Silent:
    """A renderer that shows nothing."""

    def event(self, event: Event) -> None:
        pass

    def finish(self, receipt: Receipt) -> None:
        pass

    def fail(self, receipt: Receipt) -> None:
        pass


def came(asker: Asker, rule: Rule, sim: Simulator, folder: Path) -> Came:
    """Ask once, as `llmctl ask` does."""
    tokens = set(sim.tokens)  # those that were given out stay good
    sim.reset()
    sim.tokens |= tokens
    sim.script(["well"] * OFTEN)
    config = folder / "config" / "config.toml"
    own = {"facts": '"inherit"', **asker.own}
    lines = "".join(f"{name} = {value}\n" for name, value in own.items())
    config.parent.mkdir(exist_ok=True)
    config.write_text(f"[providers.{asker.provider}]\n{lines}{rule.table}", encoding="utf-8")
    asked = Asked(prompt=PROMPT, model=asker.model, **rule.flags)  # type: ignore[arg-type]
    refusal: LlmctlError | None = None
    receipt: Receipt | None = None
    try:
        loaded = settings.load(asked.settings_flags(), None, asked.spelt())
        call, _conversation = prepared(asked, Prompt(None, PROMPT), loaded)
        route = resolve(asker.model, loaded)
        ready = cleared(route, replace(call, model=route.model), loaded)
        receipt, refusal = asyncio.run(attempt(ready, loaded.settings, Silent()))
    except PrivacyRefused as error:
        refusal = error
    if refusal is not None and not isinstance(refusal, PrivacyRefused):
        raise refusal
    verdict = receipt.verdict if receipt and not refusal else None
    return Came(
        level=verdict.level.value if verdict else None,
        controls=verdict.controls if verdict else (),
        refusal=refusal,
        requests=len(sim.requests),
        calls=len(sim.calls),
    )


def everything() -> dict[tuple[str, str], Came]:
    """Each account under each policy, by (policy, account)."""
    found = {}
    with TemporaryDirectory() as name, Simulator() as sim:
        folder = Path(name)
        env = Llmctl(folder, sim).env
        today = mock.patch("llmctl.privacy.standing.utc_today", return_value=TODAY)
        with mock.patch.dict(os.environ, env, clear=True), today:
            for rule in RULES:
                for asker in ASKERS:
                    found[rule.says, asker.name] = came(asker, rule, sim, folder)
    return found


HEAD = f"""\
# Privacy: what is sent under which policy

Made by `python -m tests.matrix`; a test says when it is stale. The same prompt is asked of each of
these under each policy, through llmctl itself and a simulator that counts what reaches it:

    {PROMPT}

The accounts are as their users have them: of the first GigaChat nothing is known beyond its card,
the second has `[providers.gigachat.attest]` with `training = "no"`, `regions = ["RU"]`. The
simulator's address counts as the provider's own (`facts = "inherit"`).

A cell is the level at which the prompt was sent and the number of calls that the simulator saw, or
**refused** with every rule of the policy that forbids it. In each of the refusals the simulator saw
no request at all, be it for a token.

"""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def written(found: Mapping[tuple[str, str], Came] | None = None) -> str:
    """The whole text, of what came of everything."""
    found = found or everything()
    rows = [
        [f"`{rule.says}`" if rule.says != "(none)" else "no policy",
         *(shown(found[rule.says, asker.name]) for asker in ASKERS)]
        for rule in RULES
    ]  # fmt: skip
    asked = {one.model: found["(none)", one.name].controls for one in ASKERS}
    told = "".join(
        f"- `{model}`: {', '.join(f'`{one}`' for one in names) or 'nothing'}\n"
        for model, names in asked.items()
    )
    return (
        HEAD
        + table(["policy", *(one.name for one in ASKERS)], rows)
        + "\nWhat was sent besides, unasked, so that less is kept:\n\n"
        + told
        + "\nA refusal names every broken rule with its place, and what would be allowed.\n"
        + "OpenAI under the longest of these:\n\n"
        + example(found)
    )


def shown(one: Came) -> str:
    if one.refusal is None:
        return f"{one.level}, {one.calls}"
    return "**refused**: " + ", ".join(rules_of(one.refusal))


def rules_of(refusal: PrivacyRefused) -> Sequence[str]:
    """The names of the rules that forbid it."""
    rules = refusal.details.get("rules", ("pii",))  # what is found in a prompt is refused before
    return [f"`{one}`" for one in dict.fromkeys(rules)]


def example(found: Mapping[tuple[str, str], Came]) -> str:
    rule = max(RULES, key=lambda one: len(one.says))
    refusal = found[rule.says, "OpenAI"].refusal
    assert refusal is not None
    said = {"error": refusal.code, "message": refusal.message, "hint": refusal.hint}
    return f"```json\n{json.dumps(said, indent=2)}\n```\n"
