"""Programs that look at an answer: the user's own, and small ones of ours for regular expressions,
which can be stopped. An answer goes to them by a file without a name, and what they say comes back
by another: neither a program that does not read nor a child that outlives it holds anything up."""

import asyncio
import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from llmctl.values import Json, dataclass

# The largest file a program may write, its last words included; bytes.
LARGEST_FILE = 64 << 20
# What is read of a program's last words, bytes.
LONGEST_WORDS = 4096
# How long a program that was killed is waited for: it is gone at once, unless a disk holds it.
GONE_SECONDS = 5.0
# All that a Python of ours needs of the environment to start.
NEEDED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
# And one that is to speak the user's language.
SPEAKING = (*NEEDED, "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
# Values that carry a key: of an address with a password in it, of a header.
CARRYING = re.compile(r"://[^/\s@]*:[^/\s@]+@|^(?:Bearer|Basic) ", re.IGNORECASE)
# Variables whose names end a word in one of these hold a key, or say where one lies.
HIDDEN = re.compile(
    r"(?:KEYS?|TOKENS?|SECRETS?|PASSWORD|PASSWD|PASS|PASSPHRASE|CREDENTIALS?)(?:_|$)"
    r"|_(?:PWD|PAT|AUTH)(?:_|$)|AUTHORIZATION|WEBHOOK",
    re.IGNORECASE,
)
# Reads the length of the pattern in bytes on a line, the pattern, and the answer to its end. Its
# exit codes are none that Python itself leaves with.
SEARCH = (
    "import re,sys\n"
    "given=sys.stdin.buffer\n"
    "size=int(given.readline())\n"
    "pattern=given.read(size).decode('utf-8','surrogatepass')\n"
    "answer=given.read().decode('utf-8','surrogatepass')\n"
    "sys.exit(40 if re.search(pattern,answer) else 41)\n"
)
# Reads where modules are, a schema and an answer, and says what does not match.
MATCH = (
    "import json,sys\n"
    "sys.path[:],schema,answer=json.load(sys.stdin.buffer)\n"
    "from llmctl.engine.schema import check_answer\n"
    "from llmctl.errors import SchemaMismatch\n"
    "try: check_answer(schema,answer)\n"
    "except SchemaMismatch as error:\n"
    " sys.stderr.buffer.write(error.message.encode('utf-8','replace'))\n"
    " sys.stderr.buffer.flush()\n"
    " sys.exit(41)\n"
    "sys.exit(40)\n"
)
FOUND, NOT_FOUND = 40, 41


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit `code` (negative: by that signal; None: it was stopped after
    its time), the first line it said on stderr, and why it could not be started at all."""

    code: int | None = None
    said: str = ""
    unstarted: str | None = None


async def ran(
    command: Sequence[str], given: bytes, *, seconds: float, env: Mapping[str, str] | None = None
) -> Ended:
    """Run `command` with `given` on its stdin for at most `seconds`; what it prints is dropped, and
    what it has started goes with it."""
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as words:
        answer.write(given)
        answer.seek(0)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=answer,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=words,
                env=None if env is None else dict(env),
                start_new_session=True,  # a Ctrl-C is ours to pass on
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else None
            return Ended(unstarted=why or str(error))
        _bounded(process.pid)
        try:
            code = await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            code = None
        finally:
            await _stopped(process)
        words.seek(0)
        said = words.read(LONGEST_WORDS).decode(errors="replace")
        first = next((line.strip() for line in said.splitlines() if line.strip()), "")
        return Ended(code, first)


def _bounded(process: int) -> None:
    """Let no file of the program grow without end: what it says goes into one."""
    with suppress(ImportError, AttributeError, OSError):  # where the system has no such limit
        import resource

        resource.prlimit(process, resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))


async def _stopped(process: asyncio.subprocess.Process) -> None:
    """End the program, if it still runs, and all that it has started and left behind. It is waited
    for: else it stays a zombie, and what asyncio holds of it open."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GONE_SECONDS)


async def searched(pattern: str, answer: str, *, seconds: float) -> Ended:
    """Whether a regular expression is found: `code` is FOUND or NOT_FOUND then. In a process of its
    own, since one that is matched cannot be stopped, nor can anything else run meanwhile."""
    first = pattern.encode("utf-8", "surrogatepass")
    given = b"%d\n" % len(first) + first + answer.encode("utf-8", "surrogatepass")
    env = {name: os.environ[name] for name in NEEDED if name in os.environ}
    return await ran([sys.executable, "-I", "-S", "-c", SEARCH], given, seconds=seconds, env=env)


async def matched(schema: Mapping[str, Json], answer: str, *, seconds: float) -> Ended:
    """Whether an answer is JSON of a schema: `code` is FOUND, or NOT_FOUND and `said` why. For a
    schema with regular expressions in it, for the sake of which it is done in another process."""
    given = json.dumps([[place for place in sys.path if place], schema, answer]).encode()
    env = {name: os.environ[name] for name in SPEAKING if name in os.environ}
    return await ran([sys.executable, "-I", "-c", MATCH], given, seconds=seconds, env=env)


def without_keys(
    environment: Mapping[str, str], hidden: Iterable[str], beginnings: Iterable[str]
) -> dict[str, str]:
    """The environment for a program that a comparison starts: without variables named `hidden`, or
    named like a key, or whose value begins as keys do."""
    named, starts = frozenset(hidden), tuple(beginnings)
    return {
        name: value
        for name, value in environment.items()
        if name not in named and not _is_key(name, value) and not value.startswith(starts)
    }


def _is_key(name: str, value: str) -> bool:
    return HIDDEN.search(name) is not None or CARRYING.search(value) is not None
