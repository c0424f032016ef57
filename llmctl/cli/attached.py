"""Attached files (`-a`): text as text that goes before the prompt, with its name and clear bounds,
all else as it is. What a file is, its content says, not its name."""

import os
import stat
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from llmctl.cli.attached_address import address_part, is_address
from llmctl.cli.attached_names import STDIN, names_of
from llmctl.cli.attached_type import Forced, forced_type
from llmctl.cli.stdin import LARGEST_PIPED, read_pipe, read_stdin_bytes
from llmctl.engine.kinds import ARCHIVE, OFFICE, TEXT, kind_of, suffix_of, type_by_name
from llmctl.engine.sniff import Sniffed, sniff
from llmctl.errors import UsageError
from llmctl.files import unreadable
from llmctl.messages import _
from llmctl.output.decoding import decode_input
from llmctl.output.streams import err
from llmctl.output.terminal import safe_line
from llmctl.types import Media, Text
from llmctl.values import dataclass

LARGEST = 16 * 2**20  # bytes of one text: more than any model reads at a time
LARGEST_FILE = 2_000_000_000  # bytes of one file: the most that any provider takes
SMALL = 2**20  # bytes up to which a file is held; a larger one is read while it is sent

Part = Text | Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How files are read: text in `encoding` where it is not UTF-8; `forced` is the type that the
    user gives all of them; `fetch` says that what is behind addresses will be, too; `timeout` is
    for how many seconds a pipe may last."""

    encoding: str | None = None
    forced: Forced | None = None
    fetch: bool = False
    quiet: bool = False
    timeout: float | None = None


def read_attached(
    given: Sequence[str],
    *,
    encoding: str | None,
    quiet: bool,
    as_type: str | None = None,
    fetch: bool = False,
    timeout: float | None = None,
) -> tuple[Part, ...]:
    """The files in their order. Small ones are held, large ones only named. Raises UsageError for
    what cannot be read, is empty, too large or not whole, and for what no model takes."""
    how = Reading(
        encoding=encoding, forced=forced_type(as_type), fetch=fetch, quiet=quiet, timeout=timeout
    )
    if "" in given:
        raise UsageError(
            _("-a has no name of a file: what it was given is empty"),
            hint=_("-a takes the path of a file; to attach standard input: -a -"),
        )
    names = names_of(given)
    return tuple(_part(one, name, how) for one, name in zip(given, names, strict=True))


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


def part_of_bytes(given: str, name: str, data: bytes, how: Reading) -> Part:
    """What was read to its end: from standard input, a pipe or an address."""
    if not data:
        raise _empty(given)
    media_type = _type(given, name, BytesIO(data), len(data), how)
    if media_type is None:
        return _text(given, name, data, how)
    if name == "input":
        name += suffix_of(media_type)
    return Media(media_type, data=data, name=name)


# ---- one file


def _part(given: str, name: str, how: Reading) -> Part:
    if given == STDIN:
        data = read_stdin_bytes(quiet=how.quiet, limit=LARGEST_PIPED)
        return part_of_bytes(_("standard input"), name, data, how)
    if is_address(given):
        return address_part(given, name, how.forced, fetch=how.fetch)
    try:
        found = Path(given).stat()
        if stat.S_ISFIFO(found.st_mode):
            data = read_pipe(given, quiet=how.quiet, timeout=how.timeout)
            return part_of_bytes(given, name, data, how)
        _refuse_odd(given, found)
        with Path(given).open("rb") as file:
            return _opened(given, name, file, how)
    except OSError as error:
        hint = _("-a takes the path of a file; to attach standard input: -a -")
        raise unreadable(error, given, hint) from None
    except ValueError:  # such as a NUL in the path
        raise UsageError(_("{path} is no path of a file", path=repr(given))) from None


def _refuse_odd(given: str, found: os.stat_result) -> None:
    """Raises for what has no end, none that can be known, or one that is too far off."""
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(
            _("{path} is a directory", path=given),
            hint=_("attach the files in it, each with its own -a"),
        )
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(
            _("{path} is a device, not a file", path=given),
            hint=_("what a program writes is attached with a pipe: ... | llmctl -a -"),
        )
    if found.st_size == 0 and not given.startswith("/proc/"):
        raise _empty(given)
    if found.st_size > LARGEST_FILE:
        raise _too_large(given, LARGEST_FILE)


def _opened(given: str, name: str, file: BinaryIO, how: Reading) -> Part:
    found = os.fstat(file.fileno())
    media_type = _type(given, name, file, found.st_size, how)
    file.seek(0)
    if media_type is None:
        if found.st_size > LARGEST:
            raise _too_large(given, LARGEST)
        data = file.read(LARGEST + 1)
        if not data:
            raise _empty(given)
        return _text(given, name, data, how)
    if found.st_size <= SMALL:
        return Media(media_type, data=file.read(SMALL), name=name)
    path = str(Path(given).absolute())
    return Media(
        media_type, name=name, path=path, size=found.st_size, modified=found.st_mtime_ns
    )  # fmt: skip


def _empty(given: str) -> UsageError:
    return UsageError(_("{path} is empty", path=given), hint=_("was it the right file?"))


def _too_large(given: str, limit: int) -> UsageError:
    return UsageError(
        _("{path} is too large to be attached: more than {limit} MB", path=given,
          limit=limit // 10**6 if limit == LARGEST_FILE else limit >> 20),
        hint=_("attach the part of it that matters"),
    )  # fmt: skip


# ---- what it is


def _type(given: str, name: str, file: BinaryIO, size: int, how: Reading) -> str | None:
    """The type of a file, None for text."""
    forced = how.forced
    if forced is not None and (forced.media_type or forced.kind == TEXT):
        return forced.media_type
    found = sniff(file, size)
    if forced is not None:
        return _of_kind(given, name, found, forced)
    if found is None:
        return None
    if found.broken is not None:
        raise UsageError(
            _("{path} cannot be attached: {why}", path=given, why=found.broken),
            hint=_insisting(found, name),
        )
    if found.kind == ARCHIVE:
        raise UsageError(
            _("{path} cannot be attached: it is an archive ({type})", path=given,
              type=found.media_type),
            hint=_("attach the files in it, each with its own -a"),
        )  # fmt: skip
    _note(name, found.kind, how)
    return _precisely(found.media_type, name)


def _insisting(found: Sniffed, name: str) -> str:
    """How a file that is not whole is sent all the same: what began like an archive, only where its
    name says what it was meant to be."""
    said = found.media_type
    if found.kind == ARCHIVE:
        if kind_of(type_by_name(name) or "") != OFFICE:
            return _("was it the right file?")
        said = OFFICE
    return _("to send it as it is all the same: --attachment-type {type}", type=said)


def _of_kind(given: str, name: str, found: Sniffed | None, forced: Forced) -> str:
    """The type of a file of which the user has said the kind alone."""
    if found is not None and found.kind == forced.kind:
        return _precisely(found.media_type, name)
    named = type_by_name(name)
    if named is None or kind_of(named) != forced.kind:
        raise UsageError(
            _("which {kind} {path} is cannot be told", kind=forced.kind, path=given),
            hint=_("say it: --attachment-type TYPE, such as {example}", example=forced.example),
        )
    return named


def _precisely(media_type: str, name: str) -> str:
    """Sound may stand in a file that begins like a film: then only its name tells."""
    named = type_by_name(name)
    return "audio/mp4" if (media_type, named) == ("video/mp4", "audio/mp4") else media_type


def _note(name: str, kind: str | None, how: Reading) -> None:
    named = type_by_name(name)
    if named is None or how.quiet or kind_of(named) == kind:
        return
    if {kind_of(named), kind} == {"audio", "video"}:  # one container for both
        return
    text = _("{name} is not what its name says: it goes as {kind}, which is what it has in it.",
             name=name, kind=kind)  # fmt: skip
    err(f"llmctl: {safe_line(text)}\n")


# ---- text


def _text(given: str, name: str, data: bytes, how: Reading) -> Text:
    if len(data) > LARGEST:
        raise _too_large(given, LARGEST)
    text = _decoded(given, data, how.encoding)
    if how.forced is None:
        _note(name, TEXT, how)
    return Text(bounded(name, text), name)


def _decoded(given: str, data: bytes, encoding: str | None) -> str:
    tries: list[Callable[[], str]] = [lambda: decode_input(data)]
    if encoding is not None:
        tries.append(lambda: decode_input(data, encoding))
    failed: UsageError | None = None
    for one in tries:
        try:
            return one()
        except UsageError as error:
            failed = error
    assert failed is not None  # noqa: S101  there is a try at least
    unknown = b"\0" in data and "--encoding" not in (failed.hint or "")
    raise UsageError(
        _("{path} cannot be attached: {why}", path=given, why=failed.message),
        hint=_("it is of no kind that llmctl knows; if a model takes it: --attachment-type TYPE")
        if unknown
        else failed.hint,
    )
