"""`llmctl config`: settings, where each value comes from, and which project files are trusted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmctl.cli.options import Json
from llmctl.messages import _

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmctl.settings import Loaded

app = typer.Typer(
    help=_("Settings: show, get, set, edit; trust in project files."),
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.command("path", epilog=_("Example: llmctl config path"))
def path() -> None:
    """Print the path of the user's settings file."""
    from llmctl import settings
    from llmctl.output.streams import out

    out(f"{settings.user_file()}\n")


@app.command("show", epilog=_("Examples: llmctl config show --origin · llmctl config show --json"))
def show(
    origin: Annotated[
        bool, typer.Option("--origin", help=_("where each value comes from"))
    ] = False,
    json: Json = False,
    profile: Annotated[str | None, typer.Option("--profile", help=_("with this profile"))] = None,
) -> None:
    """Show every setting as it holds now."""
    from llmctl import settings
    from llmctl.output.envelope import document
    from llmctl.output.streams import out
    from llmctl.output.terminal import safe_line

    loaded = settings.load(profile=profile)
    values = {key: shown(value) for key, value in flat(loaded.settings)}
    if json:
        document(
            {
                "version": 1,
                "settings": {
                    key: {"value": value, "origin": loaded.origin(key).code}
                    for key, value in values.items()
                },
            }
        )
        return
    for key, value in values.items():
        where = f"  # {loaded.origin(key)}" if origin else ""
        out(safe_line(f"{key} = {written(value)}{where}") + "\n")


@app.command("get", epilog=_("Example: llmctl config get network.idle_timeout"))
def get(key: Annotated[str, typer.Argument(help=_("such as network.timeout"))]) -> None:
    """Print one value; nothing where it is not set."""
    from difflib import get_close_matches

    from llmctl import settings
    from llmctl.errors import UsageError
    from llmctl.output.streams import out

    values = dict(flat(settings.load().settings))
    if key not in values:
        near = get_close_matches(key, values, 2)
        raise UsageError(
            _("there is no setting {key}", key=key),
            hint=_("did you mean: {names}", names=", ".join(near)) if near else None,
        )
    value = values[key]
    out("" if value is None else f"{value if isinstance(value, str) else written(value)}\n")


@app.command(
    "set",
    epilog=_(
        "Examples: llmctl config set defaults.model ollama/qwen3 · "
        "llmctl config set network.timeout 60 · llmctl config set aliases.fast openai/gpt-6-luna"
    ),
)
def set_(
    key: Annotated[str, typer.Argument(help=_("such as network.timeout"))],
    value: Annotated[str, typer.Argument(help=_("text, number, true, false or a JSON list"))],
) -> None:
    """Write one value into the user's settings file; its comments stay."""
    import json

    from llmctl import settings
    from llmctl.errors import ConfigError

    try:
        read = json.loads(value)
    except ValueError:
        read = value
    try:
        settings.set_value(key, value if read is None else read, _fits(key))
    except ConfigError:
        if isinstance(read, str):
            raise
        settings.set_value(key, value, _fits(key))  # a name may look like a number


def _fits(key: str) -> "Callable[[Loaded], None]":
    """What is to hold beyond the types of settings: a provider's fit its card."""
    names = key.split(".")
    if names[0] == "profiles":
        names = names[2:]
    if names[:1] != ["providers"] or len(names) < 2:
        return lambda _new: None

    def fits(new: "Loaded") -> None:
        from llmctl import catalogue

        catalogue.refuse_unfit(names[1], new)

    return fits


@app.command("unset", epilog=_("Example: llmctl config unset defaults.model"))
def unset(key: Annotated[str, typer.Argument(help=_("such as network.timeout"))]) -> None:
    """Take one value out of the user's settings file."""
    from llmctl import settings
    from llmctl.errors import NotFound

    if not settings.unset_value(key):
        raise NotFound(
            _("{key} is not set in {path}", key=key, path=settings.user_file()),
            hint=_("what is set, and where: llmctl config show --origin"),
        )


@app.command("edit", epilog=_("Example: EDITOR=nano llmctl config edit"))
def edit() -> None:
    """Open the user's settings file in $VISUAL or $EDITOR, and check it afterwards."""
    from llmctl import settings
    from llmctl.cli.editor import edit_file
    from llmctl.files import private_dir, write_private
    from llmctl.output.streams import err

    file = settings.user_file()
    if not file.exists():
        private_dir(file.parent)
        write_private(file, b"")
    edit_file(file)
    settings.load()
    err(_("The settings are fine.") + "\n")


@app.command("trust", epilog=_("Example: llmctl config trust .llmctl.toml"))
def trust(
    file: Annotated[
        Path | None, typer.Argument(help=_("the project file; the one in force by default"))
    ] = None,
) -> None:
    """Trust a project file as it is now. It may then set hosts, proxies and commands, so read it
    first; after any change it has to be trusted again."""
    from llmctl import settings
    from llmctl.errors import NotFound
    from llmctl.output.streams import err
    from llmctl.settings.places import project_file

    found = file or project_file()
    if found is None or not found.is_file():
        raise NotFound(_("there is no project file here"), hint=_("its name is .llmctl.toml"))
    settings.trust(found)
    err(_("{path} is trusted as it is now.", path=found.resolve()) + "\n")


def flat(value: Any, path: str = "") -> "list[tuple[str, Any]]":
    """(key, value) for every setting, keys as they are written in files."""
    from dataclasses import fields, is_dataclass

    if is_dataclass(value):
        pairs = [(one.name, getattr(value, one.name)) for one in fields(value)]
    elif isinstance(value, dict):
        pairs = list(value.items())
    else:
        return [(path, list(value) if isinstance(value, tuple) else value)]
    found: list[tuple[str, Any]] = []
    for name, one in pairs:
        inside = path.startswith("providers.") and name in ("urls", "extra")
        found += flat(one, path if inside else f"{path}.{name}".lstrip("."))
    return found


def written(value: Any) -> str:
    import json

    return _("(not set)") if value is None else json.dumps(value, ensure_ascii=False)


def shown(value: Any) -> Any:
    """A value as it may be pasted into a report: the user and password of an address are hidden."""
    import re

    if isinstance(value, str):
        return re.sub(r"(://)[^/@\s]+@", r"\1***@", value)
    return [shown(one) for one in value] if isinstance(value, list | tuple) else value
