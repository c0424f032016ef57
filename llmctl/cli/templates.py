"""`llmctl templates`: prompts that are used again and again."""

from typing import Annotated

import typer

from llmctl.cli.options import Json
from llmctl.messages import _

app = typer.Typer(
    help=_("Prompt templates: list, show, edit, remove."), no_args_is_help=True,
    rich_markup_mode=None, add_completion=False,
)  # fmt: skip


@app.command("list", epilog=_("Examples: llmctl templates list · llmctl templates list --json"))
def list_(json: Json = False) -> None:
    """List the templates, one's own first."""
    from llmctl import settings, templates
    from llmctl.errors import LlmctlError
    from llmctl.output.envelope import document
    from llmctl.output.table import table

    own, shipped = templates.folders(settings.paths().config)
    found = {}
    fault: LlmctlError | None = None
    for name in sorted(templates.names([own, shipped])):
        try:
            found[name] = (templates.load(name, [own, shipped]), name in templates.names([own]))
        except LlmctlError as error:  # the others are listed all the same
            fault = fault or error
    if json:
        rows = [
            {"name": name, "description": one.description, "own": mine,
             "variables": {key: variable.default for key, variable in one.variables.items()}}
            for name, (one, mine) in found.items()
        ]  # fmt: skip
        document({"version": 1, "templates": rows})
    else:
        table(
            [_("name"), _("whose"), _("variables"), _("what it does")],
            [
                [name, _("own") if mine else _("shipped"), ", ".join(one.variables),
                 one.description]
                for name, (one, mine) in found.items()
            ],
        )  # fmt: skip
    if fault is not None:
        raise fault


@app.command("show", epilog=_("Example: llmctl templates show summarise"))
def show(name: Annotated[str, typer.Argument(help=_("the template"))], json: Json = False) -> None:
    """Print a template's file."""
    from llmctl import settings, templates
    from llmctl.cli.providers import plain
    from llmctl.output.envelope import document
    from llmctl.output.streams import out
    from llmctl.output.terminal import detect, safe

    places = templates.folders(settings.paths().config)
    template = templates.load(name, places)
    if json:
        document({"version": 1, "template": plain(template)})
        return
    text = templates.names(places)[name].read_text("utf-8")
    out(safe(text) if detect().stdout.is_tty else text)  # a template may come from anybody


@app.command("edit", epilog=_("Example: EDITOR=nano llmctl templates edit summarise"))
def edit(name: Annotated[str, typer.Argument(help=_("the template"))]) -> None:
    """Open your own copy of a template in $VISUAL or $EDITOR, and check it afterwards."""
    from llmctl import settings, templates
    from llmctl.cli.editor import edit_file
    from llmctl.errors import UsageError
    from llmctl.files import private_dir, write_private
    from llmctl.output.streams import err
    from llmctl.templates.files import NAME

    if not NAME.fullmatch(name):
        raise UsageError(
            _("{name} is no name of a template", name=name),
            hint=_("small letters, digits, - and _"),
        )
    config = settings.paths().config
    file = config / "templates" / f"{name}.toml"
    if not file.exists():
        shipped = templates.names(templates.folders(config)).get(name)
        start = shipped.read_text("utf-8") if shipped else 'prompt = """\n{{ input }}\n"""\n'
        private_dir(file.parent)
        write_private(file, start.encode())
    edit_file(file)
    templates.load(name, templates.folders(config))
    err(_("The template is fine: llmctl -t {name}", name=name) + "\n")


@app.command("rm", epilog=_("Example: llmctl templates rm mine"))
def rm(name: Annotated[str, typer.Argument(help=_("the template"))]) -> None:
    """Remove a template of your own; shipped ones stay."""
    from llmctl import settings, templates
    from llmctl.errors import NotFound
    from llmctl.output.streams import err

    own = settings.paths().config / "templates"
    if name not in templates.names([own]):
        raise NotFound(
            _("{name} is no template of your own", name=name),
            hint=_("see them: llmctl templates list"),
        )
    (own / f"{name}.toml").unlink()
    err(_("Removed.") + "\n")
