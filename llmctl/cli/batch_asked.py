"""What one `llmctl batch run` was asked for: its flags as a value."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmctl.cli.asked import Asked
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Json
from llmctl.values import dataclass, replace

GRACE_S = 20.0
GIVE_UP_S = 300.0
# What is about how a run goes, and changes nothing of what its rows become.
OF_A_RUN = frozenset({
    "restart", "only_new", "summary", "engine", "grace", "give_up", "dry_run", "quiet", "verbose",
    "no_color", "no_input", "json", "no_stdin", "output", "causes",
})  # fmt: skip
TABLES = {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet", ".pq": "parquet"}
LINES = (".jsonl", ".ndjson")
ENGINES = ("ray",)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAsked(Asked):
    """Field by field the options of `batch run`; None and False mean not given."""

    input: str | None = None
    column: str | None = None
    attachments: str | None = None
    input_format: str | None = None
    limit: int | None = None
    columns: str | None = None
    ordered: bool = False
    concurrency: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    fallback: list[str] | None = None
    on_pii: str | None = None
    no_dedupe: bool = False
    cache: bool = False
    restart: bool = False
    only_new: bool = False
    shard: str | None = None
    engine: str | None = None
    grace: float = GRACE_S
    give_up: float = GIVE_UP_S
    summary: str | None = None
    # Which rows that failed wait again: with these codes, all where there are none of them; None
    # for those whose error may pass.
    causes: Sequence[str] | None = None

    def check(self, *, documents: bool = False) -> None:
        """`documents` says that the command prints one of JSON without --dry-run, too."""
        if self.json and not (self.dry_run or documents):
            raise UsageError(
                _("--json goes with --dry-run: answers are written to the output"),
                hint=_("what the run came to, as JSON: --summary FILE, or llmctl batch status OUT"
                       " --json"),
            )  # fmt: skip
        # A row's files may have a type, too; what else belongs to -a is refused without it.
        typed = self.attachment_type if self.attachments is None else None
        Asked.check(replace(self, attachment_type=typed))
        if self.output is None and not self.dry_run:
            raise UsageError(
                _("where are the answers to go?"),
                hint=_("name a file: --output out.jsonl; or --output - for standard output"),
            )
        self._refuse_ending()
        if self.restart and self.only_new:
            raise UsageError(_("--restart and --only-new exclude one another"))
        to_stdout = self.output == "-"
        of_files = {"--restart": self.restart, "--only-new": self.only_new,
                    "--ordered": self.ordered}  # fmt: skip
        if to_stdout and (flag := next((one for one in of_files if of_files[one]), None)):
            raise UsageError(
                _("{flag} needs a file to write to", flag=flag),
                hint=_("such as --output out.jsonl"),
            )
        if self.engine is not None and self.engine not in ENGINES:
            raise UsageError(
                _("--engine does not know {name}", name=self.engine),
                hint=_("it is one of: {choices}", choices=", ".join(ENGINES)),
            )

    def _refuse_ending(self) -> None:
        """Raises UsageError for a file whose name says another format than there is."""
        if self.output in (None, "-") or self.engine is not None:
            return
        ending = Path(self.output).suffix.lower()
        if ending and ending not in (*TABLES, *LINES):
            raise UsageError(
                _("{name} does not tell the format", name=self.output),
                hint=_("end it in {endings}", endings=", ".join((*LINES, *TABLES))),
            )

    def settings_flags(self) -> dict[str, Json]:
        """Who has a local model answer for what is private wants it looked for."""
        flags = Asked.settings_flags(self)
        if self.on_pii is not None:
            flags.setdefault("policy.pii", "local-only")
        return flags

    def spelt(self) -> dict[str, str]:
        return {**Asked.spelt(self), **({"policy.pii": "--on-pii"} if self.on_pii else {})}

    @property
    def source(self) -> str | None:
        """The input, None for standard input."""
        return None if self.input in (None, "-") else self.input

    @property
    def shown_as(self) -> str:
        """The format of the output: jsonl, csv, tsv or parquet."""
        return TABLES.get(Path(self.output or "-").suffix.lower(), "jsonl")

    @property
    def carried(self) -> tuple[str, ...]:
        """The columns of the input that stand in the output, too."""
        names = (self.columns or "").split(",")
        return tuple(dict.fromkeys(one.strip() for one in names if one.strip()))

    def again(self) -> Mapping[str, Json]:
        """The flags by which the job is carried on, from whatever folder, but for those that were
        not given."""
        from llmctl.cli.batch_apart import from_anywhere

        plain = BatchAsked()
        given = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in OF_A_RUN and getattr(self, name) != getattr(plain, name)
        }
        return {**given, **from_anywhere(self)}


def repeated(saved: Mapping[str, Json], **given: Any) -> BatchAsked:
    """The flags of a job that is kept, and over them those that are given now."""
    known: dict[str, Any] = {
        name: value for name, value in saved.items() if name in BatchAsked.__dataclass_fields__
    }
    return BatchAsked(**{**known, **given})
