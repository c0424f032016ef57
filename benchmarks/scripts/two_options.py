"""The smallest command worth the name: one argument, two options."""

from typing import Annotated

import typer

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    prompt: str,
    model: Annotated[str, typer.Option("-m", "--model")] = "none",
    number: Annotated[int, typer.Option("-n", "--number")] = 1,
) -> None:
    """Print its arguments."""
    typer.echo(f"{prompt} {model} {number}")


app()
