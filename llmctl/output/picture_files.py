"""Pictures on the disk: what their files are called, and that none takes the place of another.

A file appears under its name only when it is whole. A name that is taken is passed over for the
next free number; only the very file that the user named may be replaced, and only with `force`.
"""

import contextlib
import errno
import os
import re
import stat
import unicodedata
from hashlib import sha256

from llmctl.dialects.pictures import EXTENSIONS
from llmctl.errors import IoFailed, UsageError
from llmctl.messages import _
from llmctl.output.streams import write_failed
from llmctl.values import dataclass

LONGEST_NAME = 40  # characters of a name that is made of a prompt
# What Windows keeps for itself, whatever the ending.
RESERVED = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9]")
NAMELESS = "image"
TYPE_OF = {ending: kind for kind, endings in EXTENSIONS.items() for ending in endings}


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One picture: where it is now, its type, size in bytes and checksum in hex. `renamed` says
    that its ending is not the one that was asked for, since its content is of another type."""

    path: str
    media_type: str
    size: int
    sha256: str
    renamed: bool = False


class Album:
    """Where the pictures of one command go: into the folder or under the name of `output`, without
    it into the current folder under a name made of the prompt. `count` is how many are expected."""

    def __init__(self, output: str | None, *, count: int, force: bool = False) -> None:
        self._count = count
        self._force = force
        self._folder = ""
        self._stem: str | None = None
        self._ending: str | None = None
        self._number = 0
        self._drawn: set[str] = set()  # what this command has put there
        if output is None:
            return
        output = os.path.expanduser(output)
        if output.endswith(("/", os.sep)) or os.path.isdir(output):
            self._folder = output
            return
        self._folder, name = os.path.split(output)
        stem, dot, ending = name.rpartition(".")
        known = bool(stem) and ending.lower() in TYPE_OF
        self._stem = stem if known else name
        self._ending = f"{dot}{ending}" if known else None

    @property
    def media_type(self) -> str | None:
        """The type that the name given by the user stands for."""
        return None if self._ending is None else TYPE_OF[self._ending[1:].lower()]

    def check(self) -> None:
        """Raises IoFailed where nothing could be written, or something would be overwritten: known
        before anything is sent. Nothing stays behind."""
        for name in self._named():
            path = os.path.join(self._folder, name)
            if not os.path.lexists(path):
                continue
            if not self._force:
                raise IoFailed(
                    _("{path} is there already", path=path),
                    hint=_("name another file, or replace it: --force"),
                    reason="exists",
                )
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise IoFailed(_("{path} is no file that could be replaced", path=path))
        probe = self._temporary(self._stem or NAMELESS)
        try:
            os.close(_begun(probe))
            os.unlink(probe)
        except OSError as error:
            raise write_failed(self._shown(), error) from None

    def _shown(self) -> str:
        """What cannot be written: the folder, or the file where the user named one."""
        return os.path.join(self._folder, self._stem or "") or os.curdir

    def _named(self) -> list[str]:
        """The names that the user's own name stands for; of one without an ending each there is."""
        if self._stem is None:
            return []
        endings = [self._ending] if self._ending else [f".{one}" for one in TYPE_OF]
        numbers = [""] if self._count == 1 else [f"-{one + 1}" for one in range(self._count)]
        return [f"{self._stem}{number}{ending}" for number in numbers for ending in endings]

    def save(self, data: bytes, media_type: str, prompt: str) -> Saved:
        """Write one picture, of a `prompt`. Raises IoFailed, and then nothing is left of it."""
        ending = self._ending
        renamed = ending is not None and media_type != self.media_type
        if ending is None or renamed:
            ending = f".{EXTENSIONS[media_type][0]}"
        stem = self._stem or name_of(prompt)
        temporary = self._temporary(stem)
        try:
            _write(temporary, data)
            try:
                path = self._placed(temporary, stem, ending, own=not renamed)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary)
        except OSError as error:
            raise write_failed(self._shown(), error) from None
        checksum = sha256(data).hexdigest()
        return Saved(
            path=path, media_type=media_type, size=len(data), sha256=checksum, renamed=renamed
        )

    def _placed(self, temporary: str, stem: str, ending: str, *, own: bool) -> str:
        """The finished file under the first name that is free for it."""
        first = True
        while True:
            if self._count > 1 or not first:
                self._number = max(self._number + 1, 1 if self._count > 1 else 2)
            number = f"-{self._number}" if self._number else ""
            path = os.path.join(self._folder, f"{stem}{number}{ending}")
            named = own and self._stem is not None and os.path.basename(path) in self._named()
            if self._force and named and path not in self._drawn:
                os.replace(temporary, path)
                self._drawn.add(path)
                return path
            if _moved(temporary, path):
                self._drawn.add(path)
                return path
            first = False

    def _temporary(self, stem: str) -> str:
        return os.path.join(self._folder, f".{stem}.{os.getpid()}.part")


def _begun(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    return os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)


def _write(path: str, data: bytes) -> None:
    try:
        with open(_begun(path), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise


def _moved(temporary: str, path: str) -> bool:
    """Whether the file stands under its name now; False where that is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOSPC, errno.ENAMETOOLONG):
            raise
    else:
        return True
    try:  # a disk without links
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError:
        return False
    os.replace(temporary, path)
    return True


def _is_gone(error: OSError) -> bool:
    """Whether it is the folder that is missing, whose name the error's hint makes."""
    return error.errno in (errno.ENOENT, errno.ENOTDIR)


def name_of(prompt: str) -> str:
    """A short file name of the words of a prompt, in the letters that it has."""
    kept = "".join(
        one if one.isalnum() or unicodedata.category(one)[0] == "M" else " "
        for one in unicodedata.normalize("NFC", prompt).lower()
    )
    name = ""
    for word in kept.split():
        longer = f"{name}-{word}" if name else word[:LONGEST_NAME]
        if len(longer) > LONGEST_NAME:
            break
        name = longer
    try:
        os.fsencode(name)
    except UnicodeEncodeError:  # the names of this system's files have no such letters
        name = ""
    if RESERVED.fullmatch(name):
        return f"{NAMELESS}-{name}"
    return name or NAMELESS


def refuse_stream(output: str | None) -> None:
    """Raises UsageError for an `output` that is no place for files."""
    if output is not None and (not output.strip() or output == "-"):
        raise UsageError(
            _("pictures go into files, not into {output}", output=output.strip() or '""'),
            hint=_("name a file or a folder: --output fox.png, --output pictures/"),
        )
