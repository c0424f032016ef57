"""Runs typer on the arguments; its complaints become our errors, with the next command to type."""

from collections.abc import Sequence
from typing import Any

import typer

from llmctl.cli.commands import COMMANDS, edits
from llmctl.errors import Interrupted, UsageError
from llmctl.messages import _

# typer has its own copy of Click; of the errors in it only this descendant has a public name.
COMPLAINT = typer.BadParameter.__mro__[1]


class Unparsed(UsageError):
    """Arguments that make no command; nothing has run yet."""


def parsed(app: typer.Typer, arguments: Sequence[str], program: str) -> None:
    """Run the command of `app`. Raises Unparsed for arguments that do not fit, SystemExit where
    typer leaves early with a code of its own."""
    arguments = list(arguments)
    if arguments[-1:] == ["-h"] and "--" not in arguments:  # typer knows the long name only
        arguments[-1] = "--help"
    try:
        code = app(args=arguments, prog_name=program, standalone_mode=False)
    except typer.Abort:  # the end of input where an answer was expected
        raise Interrupted(_("interrupted")) from None
    except Exception as complaint:
        if not isinstance(complaint, COMPLAINT):
            raise
        raise _ours(complaint, arguments, _path(app, arguments, program)) from None
    if isinstance(code, int) and code:
        raise SystemExit(code)


def _path(app: typer.Typer, arguments: Sequence[str], program: str) -> str:
    """The program with the names of the command inside it: not every complaint knows its own."""
    command: Any = typer.main.get_command(app)
    for word in arguments:
        if word not in getattr(command, "commands", ()):
            break
        command, program = command.commands[word], f"{program} {word}"
    return program


def _ours(complaint: Exception, arguments: Sequence[str], program: str) -> BaseException:
    context = getattr(complaint, "ctx", None)
    command = context.command_path if context is not None else program
    command = "llmctl ask" if command == "llmctl" else command  # whose options those are
    help_hint = _("see what it takes: {command} --help", command=command)
    match type(complaint).__name__:
        case "NoArgsIsHelpError":  # the help itself, for a group without a sub-command
            from llmctl.output.streams import err

            err(complaint.format_message() + "\n")  # type: ignore[attr-defined]
            return SystemExit(UsageError.exit_code)
        case "NoSuchOption":
            name = complaint.option_name  # type: ignore[attr-defined]
            return Unparsed(
                _("there is no option {name}", name=name),
                hint=_option_hint(complaint, name, arguments, program) or help_hint,
            )
        case _:
            said = _said(complaint)
    if program in ("llmctl", "llmctl ask") and "unexpected extra argument" in said:
        return _too_many(arguments)
    return Unparsed(said, hint=help_hint)


def _said(complaint: Any) -> str:
    """What typer complains of, the commonest complaints in the user's language."""
    parameter = getattr(complaint, "param", None)
    if parameter is not None:
        name = parameter.get_error_hint(complaint.ctx)
        match type(complaint).__name__:
            case "MissingParameter" if parameter.param_type_name == "argument":
                return _("missing argument {name}", name=name)
            case "BadParameter":
                return _("invalid value for {name}: {reason}", name=name,
                         reason=complaint.message.rstrip("."))  # fmt: skip
    said: str = complaint.format_message().rstrip(".")
    return said[:1].lower() + said[1:]


def _option_hint(
    complaint: Exception, name: str, arguments: Sequence[str], program: str
) -> str | None:
    near = getattr(complaint, "possibilities", None)
    if near:
        return _("did you mean: {names}", names=", ".join(near))
    if program in ("llmctl", "llmctl ask"):
        from shlex import quote

        prompt = next((one for one in arguments if one.startswith(name)), name)
        return _(
            "a prompt that begins with - goes after --: {program} -- {prompt}",
            program=program,
            prompt=quote(prompt),
        )
    return None


def _too_many(arguments: Sequence[str]) -> Unparsed:
    """Several bare words: a misspelt command with its arguments, or a prompt without quotes."""
    first = arguments[0]
    command = next((one for one in arguments if one in COMMANDS), None)
    if first.startswith("-") and command is not None:
        return Unparsed(
            _("the command comes first, its options after it"),
            hint=_("llmctl {command} {options}", command=command,
                   options=" ".join(one for one in arguments if one != command)),
        )  # fmt: skip
    near = next((name for name in COMMANDS if edits(first.lower(), name) <= 1), None)
    if near is not None and first.isalpha():
        return Unparsed(
            _("{word} is no command; did you mean: llmctl {near}", word=first, near=near),
            hint=_("a prompt of several words is quoted: llmctl {prompt}",
                   prompt='"' + " ".join(arguments) + '"'),
        )  # fmt: skip
    return Unparsed(
        _("a prompt of several words must be one argument"),
        hint=_('put it in quotes: llmctl "Why is the sky blue?"'),
    )
