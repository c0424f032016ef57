"""Attached files (`-a`), as the text that goes before the prompt."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath

from llmctl.cli.stdin import read_stdin
from llmctl.errors import UsageError
from llmctl.files import unreadable
from llmctl.messages import _
from llmctl.output.decoding import decode_input
from llmctl.types import Text

STDIN = "-"
LARGEST = 16 * 2**20  # bytes of one file: more than any model reads at a time
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# Beginnings of files that may get far without a byte that no text has.
_BINARY = (b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b")


def read_attached(given: Sequence[str], *, encoding: str | None, quiet: bool) -> tuple[Text, ...]:
    """The texts of the files in their order, each with its name and clear bounds.

    A file is UTF-8, else `encoding`. Raises UsageError for what is no text, cannot be read or is
    too large, and for addresses.
    """
    texts = [
        read_stdin(encoding, quiet=quiet) if one == STDIN else _read(one, encoding) for one in given
    ]
    return tuple(
        Text(bounded(name, text), name) for name, text in zip(_names(given), texts, strict=True)
    )


def bounded(name: str, text: str) -> str:
    """The text between a first line with the name of its file and a last line that does not occur
    in it."""
    tag, number = "file", 1
    while f"</{tag}>" in text:
        number += 1
        tag = f"file-{number}"
    end = "" if text.endswith("\n") else "\n"
    return f'<{tag} name="{name}">\n{text}{end}</{tag}>\n\n'


def refuse_stdin_twice(given: Sequence[str], prompt: str | None, *, no_stdin: bool) -> None:
    """Raises UsageError where standard input would have to be read twice, or not at all."""
    times = given.count(STDIN)
    if times and no_stdin:
        raise UsageError(
            _("-a - attaches standard input, and --no-stdin leaves it alone"),
            hint=_("leave one of the two out"),
        )
    if times > 1 or (times and prompt == STDIN):
        raise UsageError(_("standard input can be read once only"), hint=_("name it once"))


def _read(given: str, encoding: str | None) -> str:
    if _URL.match(given):
        raise UsageError(
            _("{url} is an address, and only files can be attached so far", url=given),
            hint=_("download it first: curl -o FILE {url}", url=given),
        )
    try:
        with Path(given).open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        hint = _("-a takes the path of a file; to attach standard input: -a -")
        raise unreadable(error, given, hint) from None
    except ValueError:  # such as a NUL in the path
        raise UsageError(_("{path} is no path of a file", path=repr(given))) from None
    if len(data) > LARGEST:
        raise UsageError(
            _("{path} is too large to be attached: more than {limit} MB", path=given,
              limit=LARGEST >> 20),
            hint=_("attach the part of it that matters"),
        )  # fmt: skip
    return _decoded(given, data, encoding)


def _decoded(given: str, data: bytes, encoding: str | None) -> str:
    try:
        if not data.startswith(_BINARY):
            return decode_input(data)
    except UsageError as error:
        if encoding is None:
            raise UsageError(
                _("{path} cannot be attached: {why}", path=given, why=error.message),
                hint=_no_text() if b"\0" in data and "--encoding" not in (error.hint or "")
                else error.hint,
            ) from None  # fmt: skip
    else:
        raise UsageError(_("{path} cannot be attached: it is no text", path=given), hint=_no_text())
    try:
        return decode_input(data, encoding)
    except UsageError as error:
        why = error.message
        raise UsageError(
            _("{path} cannot be attached: {why}", path=given, why=why), hint=error.hint
        ) from None


def _no_text() -> str:
    return _("only text files can be attached so far")


def _names(given: Sequence[str]) -> list[str]:
    """The names of the files, without their folders unless two have the same."""
    paths = [PurePath("input" if one == STDIN else one) for one in given]
    times = Counter(path.name for path in paths)
    return [
        _harmless("/".join(path.parts[-2:]) if times[path.name] > 1 else path.name)
        for path in paths
    ]


def _harmless(name: str) -> str:
    """The name without what would end its line or its quotes."""
    known = name.encode("utf-8", "replace").decode()
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", " ", known).replace('"', "'")
