"""What one `llmctl embed` was asked for."""

from llmctl.cli.flags import Flags, request_fields
from llmctl.dialects import OWN_FIELDS
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.vectors import BINARY, FORMATS
from llmctl.types import Embed
from llmctl.values import dataclass

PURPOSES = ("document", "query")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedAsked(Flags):
    """Field by field the options of `embed`; None and False mean not given."""

    text: str | None = None
    file: str | None = None
    column: str | None = None
    input_format: str | None = None
    limit: int | None = None
    whole: bool = False
    dimensions: int | None = None
    purpose: str | None = None
    normalize: bool = False
    similar: str | None = None
    top: int = 10
    concurrency: int | None = None
    batch_size: int | None = None
    format: str | None = None
    with_text: bool = False
    usage: bool = False
    no_stdin: bool = False

    def check(self) -> None:
        Flags.check(self)
        self._one_source()
        if self.purpose is not None and self.purpose not in PURPOSES:
            raise UsageError(
                _("--purpose does not know {purpose}", purpose=self.purpose),
                hint=_("it is one of: {choices}", choices=", ".join(PURPOSES)),
            )
        if self.format is not None and self.format not in FORMATS:
            raise UsageError(
                _("--format does not know {format}", format=self.format),
                hint=_("it is one of: {choices}", choices=", ".join(FORMATS)),
            )
        self._known_rows()
        if self.similar is not None and not self.similar.strip():
            raise UsageError(_("--similar needs a text"))
        self._fitting()
        own = next((name for name in request_fields(self.option) if name in OWN_FIELDS), None)
        if own is not None:
            raise UsageError(
                _("{name} is no option: it is what the call itself says", name=own),
                hint=_("the model is given with -m, the text as an argument or with --file"),
            )

    def _one_source(self) -> None:
        if self.text is not None and self.file is not None:
            raise UsageError(
                _("a text and --file are two sources"), hint=_("leave one of the two out")
            )
        if self.text is not None and self.text != "-" and not self.text.strip():
            raise UsageError(_("the text is empty"))

    def _known_rows(self) -> None:
        if self.input_format is not None:
            from llmctl.rows.local import FORMATS as OF_ROWS

            if self.input_format not in OF_ROWS:
                raise UsageError(
                    _("--input-format does not know {format}", format=self.input_format),
                    hint=_("it is one of: {choices}", choices=", ".join(OF_ROWS)),
                )
        of_rows = {"--column": self.column, "--input-format": self.input_format}
        flag = next((name for name, given in of_rows.items() if given is not None), None)
        if flag is not None and (self.whole or self.text not in (None, "-")):
            raise UsageError(
                _("{flag} is for rows, and a text has none", flag=flag),
                hint=_("name a file with --file"),
            )

    def _fitting(self) -> None:
        """Raises UsageError for flags that exclude one another."""
        pairs = (
            ("--json", self.json, "--format", self.format is not None),
            ("--similar", self.similar is not None, "--format", self.format is not None),
            ("--similar", self.similar is not None, "--purpose", self.purpose is not None),
            ("--similar", self.similar is not None, "--normalize", self.normalize),
            (f"--format {self.format}", self.format in BINARY, "--with-text", self.with_text),
            ("--whole", self.whole, "--file", self.file not in (None, "-")),
        )
        for one, has_one, other, has_other in pairs:
            if has_one and has_other:
                raise UsageError(
                    _("{one} and {other} exclude one another", one=one, other=other),
                    hint=_("leave one of the two out"),
                )

    def call(self, model: str, purpose: str | None) -> Embed:
        """Everything but the texts."""
        options = request_fields(self.option)
        return Embed(model, (), self.dimensions, purpose, options)
