"""From the arguments to a command, and from whatever happens to an exit code."""

import gc
import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from llmctl.cli.commands import COMMANDS, edits, root_help
from llmctl.cli.spoken import spoken
from llmctl.errors import (
    Interrupted,
    LlmctlError,
    PipeClosed,
    Stopped,
    Terminated,
    UsageError,
    internal,
)
from llmctl.messages import _

if TYPE_CHECKING:
    from typer import Typer

# A start makes thousands of objects that live to the end; looking for rubbish among them is waste.
# One look at what a prompt has loaded costs 10 ms, as much as its settings and its card together.
# Until here (see __main__) there was no looking at all; loop.py goes on from here.
GC_THRESHOLD = 200_000

COMPLETE_VARIABLE = "_LLMCTL_COMPLETE"
DEBUG_VARIABLE = "LLMCTL_DEBUG"  # what -v does to errors, for commands without that flag


def run(arguments: list[str]) -> NoReturn:
    """Run the command that `arguments` name and leave with its exit code."""
    gc.set_threshold(GC_THRESHOLD)
    gc.enable()
    signal.signal(signal.SIGINT, _interrupted)
    signal.signal(signal.SIGTERM, _terminated)
    code: int | str | None = 0
    try:
        dispatch(arguments)
    except SystemExit as leaving:
        code = leaving.code
    except BaseException as error:
        asked = "-v" in arguments or "--verbose" in arguments
        code = report(error, verbose=asked or bool(os.environ.get(DEBUG_VARIABLE)))
    _leave(code if isinstance(code, int) else 0 if code is None else 1)


def dispatch(arguments: list[str]) -> None:
    """Call the command; raises LlmctlError, or SystemExit as typer does."""
    if COMPLETE_VARIABLE in os.environ:
        from llmctl.cli.completion import full_app

        full_app()(prog_name="llmctl")
    first = arguments[0] if arguments else None
    if first == "--version":
        from llmctl import __version__
        from llmctl.output.streams import out

        out(f"llmctl {__version__}\n")
    elif first in ("-h", "--help"):
        from llmctl.output.streams import out

        out(root_help())
    elif first is not None and first in COMMANDS:
        app = spoken(import_module(COMMANDS[first].module).app)
        _run(app, arguments[1:], f"llmctl {first}")
    elif not arguments and sys.stdin is not None and sys.stdin.isatty():
        from llmctl.cli.welcome import welcome

        welcome()
    else:
        if len(arguments) == 1:
            _refuse_typo(arguments[0])
        from llmctl.cli.ask import app

        _run(spoken(app), arguments, "llmctl")


def _run(app: "Typer", arguments: list[str], program: str) -> None:
    from llmctl.cli.parsing import Unparsed, parsed

    try:
        parsed(app, arguments, program)
    except Unparsed as error:
        wanted = {"--json", "--events"} & set(arguments)
        if wanted and program in ("llmctl", "llmctl ask"):
            from llmctl.cli.refused import show_refused

            show_refused(error, json="--json" in wanted, events="--events" in wanted)
        raise


def _refuse_typo(word: str) -> None:
    """A single bare word that is nearly a command was hardly meant as a prompt."""
    if not word.isascii() or not word.isalpha():
        return
    near = [name for name in COMMANDS if edits(word.lower(), name) <= 2]
    if near:
        raise UsageError(
            _("{word} is no command; did you mean: llmctl {near}", word=word, near=near[0]),
            hint=_("to send the word itself as a prompt: llmctl ask {word}", word=word),
        )


def report(error: BaseException, *, verbose: bool) -> int:
    """Say on stderr what went wrong, and return the exit code."""
    if isinstance(error, KeyboardInterrupt):
        error = Interrupted(_("interrupted"))
    if isinstance(error, Stopped):
        error = error.error
    known = error if isinstance(error, LlmctlError) else _unforeseen(error)
    if isinstance(known, PipeClosed):
        return known.exit_code
    from llmctl.output.errors_text import error_text
    from llmctl.output.streams import err

    try:
        if verbose:
            import traceback

            from llmctl.output.terminal import safe

            err(safe("".join(traceback.format_exception(error))))
        err(error_text(known))
    except LlmctlError:
        pass  # stderr is gone too; the exit code still speaks
    return known.exit_code


def _unforeseen(error: BaseException) -> LlmctlError:
    """What nobody caught: a file that the operating system refuses is no bug of ours."""
    if isinstance(error, OSError) and isinstance(error.filename, str):
        from pathlib import Path

        from llmctl.files import io_failed

        return io_failed(error, Path(error.filename))
    return internal(error)


def _interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped(Interrupted(_("interrupted")))


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped(Terminated(_("terminated")))


def _leave(code: int) -> NoReturn:
    """Leave at once: everything is flushed and closed by now, and taking the interpreter apart
    object by object costs a third of a short run."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            code = code or PipeClosed.exit_code
    os._exit(code)
