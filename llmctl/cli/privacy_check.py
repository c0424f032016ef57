"""`llmctl privacy check`: what a search for secrets and personal data finds in a text."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from llmctl.errors import CheckFailed, UsageError
from llmctl.files import unreadable
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.privacy.detect import Finding

_SHOWN = 200  # findings that people are shown; --json has all


def check(
    file: str, *, json: bool, types: str | None, names: bool, encoding: str | None = None
) -> None:
    """Raises CheckFailed where anything was found, UsageError where FILE is no readable text."""
    from llmctl.cli.searched import while_searching
    from llmctl.privacy.detect import find

    wanted = _types(types)
    text = _text(file, encoding)
    with while_searching(len(text)):
        findings = find(text, types=wanted, names=names)
    if json:
        _print_json(findings)
    else:
        _print(file, text, findings)
    if findings:
        raise CheckFailed(
            _("{count} found in {file}: {kinds}", count=len(findings), file=_named(file),
              kinds=_counted(findings)),
            hint=_("send it with --redact (llmctl ask --help), or take it out of the text"),
            reason="findings",
        )  # fmt: skip


def _types(given: str | None) -> Collection[str] | None:
    if given is None:
        return None
    from llmctl.privacy.detect import TYPES

    chosen = [one.strip() for one in given.split(",") if one.strip()]
    unknown = [one for one in chosen if one not in TYPES]
    if unknown or not chosen:
        raise UsageError(
            _("no such type: {names}", names=", ".join(unknown) or given),
            hint=_("types: {names}", names=", ".join(TYPES)),
        )
    return chosen


def _text(file: str, encoding: str | None) -> str:
    """The text of a file or of standard input, in the encoding of the flag or of the settings; a
    file may be UTF-8 all the same, as an attached one. Raises UsageError for anything else."""
    from llmctl import settings
    from llmctl.output.decoding import decode_input

    encoding = encoding or settings.load().settings.output.encoding
    if file == "-":
        from llmctl.cli.stdin import read_stdin

        return read_stdin(encoding, quiet=False)
    from pathlib import Path

    try:
        data = Path(file).read_bytes()
    except OSError as error:
        hint = _("FILE is the path of a text; to check standard input leave it out")
        raise unreadable(error, file, hint) from None
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in data[:8192] and not utf16 and encoding is None:
        raise UsageError(
            _("{file} is not text", file=file),
            hint=_("pictures, scans, PDF and other binary files are not searched"),
            reason="binary",
        )
    try:
        return decode_input(data)
    except UsageError:
        if encoding is None:
            raise
    return decode_input(data, encoding)


def _print_json(findings: Sequence["Finding"]) -> None:
    from llmctl.output.envelope import document

    document(
        {
            "version": 1,
            "findings": [
                {
                    "type": one.type,
                    "start": one.start,
                    "end": one.end,
                    "name": one.name,
                    "severe": one.severe,
                }
                for one in findings
            ],
        }
    )


def _print(file: str, text: str, findings: Sequence["Finding"]) -> None:
    from llmctl.output.streams import out
    from llmctl.output.terminal import safe_line

    line, begin, lines = 1, 0, []
    for one in findings[:_SHOWN]:
        line += text.count("\n", begin, one.start)
        begin = one.start
        column = one.start - text.rfind("\n", 0, one.start)
        kind = f"{one.type} ({one.name})" if one.name else one.type
        note = "" if one.severe else _("  only a warning")
        said = f"{line}:{column}  {kind}  {masked(text[one.start : one.end])}{note}"
        lines.append(safe_line(said) + "\n")
    if len(findings) > _SHOWN:
        lines.append(
            _("... and {count} more; all of them: --json", count=len(findings) - _SHOWN) + "\n"
        )
    if not findings:
        lines.append(_("nothing was found in {file}", file=_named(file)) + "\n")
    lines.append(
        _("Not searched: pictures, scans, sound. Names of people only with --names.") + "\n"
    )
    out("".join(lines))


def masked(value: str) -> str:
    """Enough of a value to find it by, too little to use it: at most a fifth, and no more than
    four characters."""
    kept = min(4, len(value) // 5)
    return f"{value[:kept]}…" if kept else "…"


def _named(file: str) -> str:
    return _("standard input") if file == "-" else file


def _counted(findings: Sequence["Finding"]) -> str:
    counts = Counter(one.type for one in findings)
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
