"""What one `llmctl compare` was asked for: its flags as a value."""

from collections.abc import Mapping
from typing import Any

from llmctl.cli.asked import Asked
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Json
from llmctl.values import dataclass

# Formats by what a file's name ends in.
ENDINGS = {
    ".html": "html", ".htm": "html", ".md": "md", ".csv": "csv", ".json": "json",
    ".jsonl": "jsonl", ".xml": "junit", ".txt": "table",
}  # fmt: skip
FORMATS = ("table", "json", "jsonl", "csv", "md", "html", "junit")
# How flags are written whose fields have other names.
FLAGS = {
    "models": "-m", "checks": "--check", "prompt": "PROMPT", "concurrency": "-j",
    "order_seed": "--order-seed", "warm_up": "--warm-up", "min_pass": "--min-pass",
}  # fmt: skip
# What is about showing and keeping, and no part of what was compared.
NOT_ASKED = frozenset({"list_", "show", "rerun", "format", "output", "json", "dry_run", "quiet",
                       "verbose", "no_color", "no_input", "encoding"})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareAsked(Asked):
    """Field by field the options of `compare`; None and False mean not given."""

    models: list[str] | None = None
    prompts: str | None = None
    column: str | None = None
    expected: str | None = None
    input_format: str | None = None
    limit: int | None = None
    variant: list[str] | None = None
    repeat: int | None = None
    warm_up: int | None = None
    order_seed: int | None = None
    concurrency: int | None = None
    checks: list[str] | None = None
    min_pass: str | None = None
    judge: str | None = None
    prefer: str | None = None
    where: str | None = None
    currency: str | None = None
    format: str | None = None
    list_: bool = False
    show: str | None = None
    rerun: str | None = None

    def check(self) -> None:
        Asked.check(self)
        self._refuse_beside()
        if self.list_ + (self.show is not None) + (self.rerun is not None) > 1:
            raise UsageError(_("--list, --show and --rerun exclude one another"))
        if self.json and self.format not in (None, "json"):
            raise UsageError(_("--json and --format {name} exclude one another", name=self.format))
        self._refuse_ending()
        if self.format is not None and self.format not in FORMATS:
            raise UsageError(
                _("--format does not know {name}", name=self.format),
                hint=_("formats: {names}", names=", ".join(FORMATS)),
            )
        if self.template is not None and self.variant:
            raise UsageError(_("-t is one way to put the prompt, --variant are several"),
                             hint=_("give each with --variant"))  # fmt: skip
        of_rows = {"--column": self.column, "--input-format": self.input_format,
                   "--limit": self.limit, "--expected": self.expected}  # fmt: skip
        for flag, value in of_rows.items():
            if flag == "--limit" and self.list_:
                continue
            if value is not None and self.prompts is None and self.rerun is None:
                raise UsageError(_("{flag} is about rows; name their file with --prompts",
                                   flag=flag))  # fmt: skip
        if self.max_cost is not None and self.max_tokens is None:
            raise UsageError(
                _("--max-cost needs --max-tokens here: else what is left would set another limit to"
                  " each answer"),
                hint=_("say how long an answer may be: --max-tokens 500"),
            )  # fmt: skip
        if self.min_pass is not None and not (self.checks or self.expected or self.schema
                                              or self.rerun):  # fmt: skip
            raise UsageError(_("--min-pass needs something to pass"),
                             hint=_("say what with --check, --expected or --schema"))  # fmt: skip

    def _refuse_ending(self) -> None:
        """Raises UsageError for a file whose name says nothing of its format."""
        name = (self.output or "-").lower()
        if self.format or self.json or name == "-" or self.list_:
            return
        suffix = "." + name.rpartition(".")[2] if "." in name.rpartition("/")[2] else ""
        if suffix and suffix not in ENDINGS:
            raise UsageError(
                _("{name} does not tell the format", name=self.output),
                hint=_("name it: --format html, or end in {endings}", endings=", ".join(ENDINGS)),
            )

    def _refuse_beside(self) -> None:
        """Raises UsageError for what changes nothing of a comparison that is there already."""
        if not (self.list_ or self.show is not None):
            return
        beside = {"prefer", "where", "currency", "limit", "profile", "no_stdin", "log", "no_log"}
        if name := next((one for one in self.again() if one not in beside), None):
            raise UsageError(
                _("{flag} changes nothing of what is kept", flag=FLAGS.get(name, f"--{name}")),
                hint=_("to compare again with it: llmctl compare --rerun ID"),
            )

    @property
    def shown_as(self) -> str:
        """The format of the result."""
        if self.json:
            return "json"
        name = (self.output or "").lower()
        ending = next((ENDINGS[one] for one in ENDINGS if name.endswith(one)), "table")
        return self.format or ending

    @property
    def times(self) -> int:
        """How often each is asked."""
        return self.repeat or 1

    @property
    def lanes(self) -> int:
        """Runs of a model at a time."""
        return self.concurrency or 1

    def again(self) -> Mapping[str, Json]:
        """The flags that make the comparison what it is, but for those that were not given."""
        plain = CompareAsked()
        return {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in NOT_ASKED and getattr(self, name) != getattr(plain, name)
        }


def repeated(saved: Mapping[str, Json], asked: CompareAsked) -> CompareAsked:
    """The flags of a comparison that is kept, and over them those that are given now. Raises
    UsageError for one that another version kept and this one cannot read."""
    plain = CompareAsked()
    known: dict[str, Any] = {
        name: value for name, value in saved.items() if name in CompareAsked.__dataclass_fields__
    }
    given = {
        name: getattr(asked, name)
        for name in CompareAsked.__dataclass_fields__
        if name != "rerun" and getattr(asked, name) != getattr(plain, name)
    }
    return CompareAsked(**{**known, **given})
