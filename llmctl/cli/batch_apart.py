"""What a job reads and what it writes, held apart: no file of the user's is written over by a run
that reads it, whatever name it is given by."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl.errors import UsageError
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.cli.batch_asked import BatchAsked
    from llmctl.cli.batch_files import Paths


def check_apart(asked: "BatchAsked", paths: "Paths", *more: str | None) -> None:
    """Raises UsageError where a file that is read (`more` names further ones) is one that would be
    written, and where the summary would be written over a file of the job."""
    read = [*_read(asked), *(one for one in more if one is not None)]
    for one in read:
        for own in paths.all:
            if _same(one, own):
                raise _both(one, own, "--output")
        if asked.summary is not None and _same(one, asked.summary):
            raise _both(one, asked.summary, "--summary")
    check_not_own(asked.summary, paths, "--summary")


def check_not_own(page: str | None, paths: "Paths", flag: str) -> None:
    """Raises UsageError where what `flag` names is a file of the job."""
    if page is not None and any(_same(page, own) for own in paths.all):
        raise UsageError(
            _("{path} is a file of the job itself", path=page),
            hint=_("name another file after {flag}", flag=flag),
            reason="same-file",
        )


def _both(read: str, written: str | Path, flag: str) -> UsageError:
    return UsageError(
        _("{path} is read by this job, and would be written over: it is {written}", path=read,
          written=written),
        hint=_("name another file after {flag}", flag=flag),
        reason="same-file",
    )  # fmt: skip


def _read(asked: "BatchAsked") -> Iterator[str]:
    from llmctl.rows import HUB

    if asked.source is not None and not asked.source.startswith(HUB):
        yield asked.source
    for given in from_anywhere(asked).values():
        yield from [given] if isinstance(given, str) else given


def from_anywhere(asked: "BatchAsked") -> dict[str, str | list[str]]:
    """The flags that name files, by whole paths, so that they lead there from any folder."""
    found: dict[str, str | list[str]] = {}
    if asked.attachment:
        found["attachment"] = [_attached(one) for one in asked.attachment]
    if asked.schema is not None and not asked.schema.lstrip().startswith(("{", "[", '"')):
        found["schema"] = _whole(asked.schema)
    if asked.redact_names is not None:
        found["redact_names"] = _whole(asked.redact_names)
    name = asked.template or ""
    is_path = ("/" in name or name.endswith(".toml")) and "{{" not in name
    if is_path and os.path.isfile(_whole(name)):
        found["template"] = _whole(name)
    return found


def _attached(given: str) -> str:
    from llmctl.cli.attached_address import is_address

    return given if given == "-" or is_address(given) else os.path.abspath(given)


def _whole(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _same(one: str | Path, other: str | Path) -> bool:
    """Whether these are one file, or would be. Of devices and pipes each use is another thing."""
    try:
        here, there = _stats((one, other))
    except (OSError, ValueError):
        return os.path.realpath(one) == os.path.realpath(other) if _plain(one) else False
    return stat.S_ISREG(here.st_mode) and os.path.samestat(here, there)


def _stats(paths: Iterable[str | Path]) -> list[os.stat_result]:
    return [os.stat(path) for path in paths]


def _plain(path: str | Path) -> bool:
    """What can be a path at all, and is no device or pipe."""
    if "\0" in str(path):
        return False
    return os.path.isfile(path) or not os.path.exists(path)
