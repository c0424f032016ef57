"""`--attachment-type`: what the user says that the attached files are."""

import re

from llmctl.engine.kinds import DOCX, KINDS, PDF, TEXT, kind_of, registered
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.values import dataclass

_EXAMPLES = {"image": "image/png", "audio": "audio/mpeg", "video": "video/mp4", "office": DOCX}
_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(\s*;\s*[\w.+-]+=[\w.+\"-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Forced:
    """A kind of a card's `inputs` (None for a type that is of none of them), and the whole type
    where one was given and it is not text."""

    kind: str | None
    media_type: str | None = None

    @property
    def example(self) -> str:
        return _EXAMPLES.get(self.kind or "", "image/png")


def forced_type(given: str | None) -> Forced | None:
    """Raises UsageError for what is neither a type nor a kind."""
    if given is None:
        return None
    said = registered(given.strip().lower())
    if said == PDF:
        return Forced(PDF, "application/pdf")
    if said in KINDS:
        return Forced(said)
    if not _TYPE.fullmatch(said):
        raise UsageError(
            _("--attachment-type does not know {type}", type=given),
            hint=_("a type such as application/pdf, or one of {kinds}", kinds=", ".join(KINDS)),
        )
    kind = kind_of(said)
    return Forced(kind) if kind == TEXT else Forced(kind, said)
