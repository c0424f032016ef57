"""Which commands there are, where each lives and what it does in a line.

Only the module of the command that runs is imported; `llmctl --help` needs none of them.
"""

from collections.abc import Mapping

from llmctl.messages import _
from llmctl.values import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """`module` has an `app`; `single` says that the app is one command without sub-commands."""

    module: str
    summary: str
    single: bool = False


COMMANDS: Mapping[str, Command] = {
    "ask": Command("llmctl.cli.ask", _("send one prompt (the command when none is named)"), True),
    "compare": Command(
        "llmctl.cli.compare", _("the same prompt to several models, with evidence"), True
    ),
    "batch": Command("llmctl.cli.batch", _("many prompts from a file, none lost, none paid twice")),
    "image": Command("llmctl.cli.image", _("draw a picture from words"), True),
    "embed": Command("llmctl.cli.embed", _("turn texts into vectors, find like ones"), True),
    "tokens": Command("llmctl.cli.tokens", _("count the tokens of a text"), True),
    "models": Command("llmctl.cli.models", _("list, show, pull and remove models")),
    "providers": Command("llmctl.cli.providers", _("what is known of each provider")),
    "cards": Command("llmctl.cli.cards", _("refresh what is known of providers and prices")),
    "keys": Command("llmctl.cli.keys", _("store, list and remove API keys")),
    "config": Command("llmctl.cli.config", _("settings, where each comes from, trust")),
    "templates": Command("llmctl.cli.templates", _("prompt templates")),
    "cost": Command("llmctl.cli.cost", _("what an answer will cost, and what answers have cost")),
    "privacy": Command("llmctl.cli.privacy", _("what becomes of the data, by provider and model")),
    "logs": Command("llmctl.cli.logs", _("what was asked, answered, and what it took")),
    "doctor": Command("llmctl.cli.doctor", _("find out why a provider does not answer"), True),
    "completion": Command("llmctl.cli.completion", _("completion script for a shell"), True),
    "help": Command("llmctl.cli.help", _("help on a topic; the table of exit codes"), True),
}


def edits(one: str, other: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def root_help() -> str:
    """The text of `llmctl --help`."""
    width = max(map(len, COMMANDS)) + 2
    listed = "\n".join(f"  {name:<{width}}{one.summary}" for name, one in COMMANDS.items())
    return _(
        """Usage: llmctl [OPTIONS] "PROMPT"
       COMMAND | llmctl [OPTIONS] ["PROMPT"]
       llmctl COMMAND [OPTIONS] ...

One command line for every language model: what an answer costs, how long it
takes and where the data goes.

Commands:
{listed}

Options:
  -m, --model MODEL   provider/model, such as openai/gpt-6-luna or ollama/qwen3
  -s, --system TEXT   instructions that come before the prompt
  --version           print the version
  -h, --help          this text; `llmctl ask --help` lists every option of a prompt

Examples:
  llmctl "Why is the sky blue?"
  git diff | llmctl "write the commit message"
  llmctl -m ollama/qwen3 -s "Answer in Russian" "What is a monad?"
  llmctl models list local
  llmctl keys set openai
""",
        listed=listed,
    )
