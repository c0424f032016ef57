"""The options that `batch run` and `batch submit` share."""

from typing import Annotated

import typer

from llmctl.cli.options import by_one_name
from llmctl.messages import _

In = Annotated[
    str | None,
    typer.Argument(
        metavar="IN",
        help=_("rows: JSONL, CSV, TSV, Parquet, text, hf://datasets/…, or - for a pipe"),
        show_default=False,
    ),
]
Out = Annotated[str, typer.Argument(metavar="OUT", help=_("the output of the job"))]
Column = Annotated[
    str | None,
    typer.Option("--column", metavar="NAME", help=_("where the prompts stand in the rows")),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns", metavar="NAME,…", help=_("columns of the input to carry to the output")
    ),
]
AttachmentColumn = Annotated[
    str | None,
    typer.Option(
        "--attachments",
        metavar="NAME",
        help=_("the column that names files of each row (-a: one file for all rows)"),
    ),
]
Attachment = Annotated[
    list[str] | None,
    typer.Option(
        "-a",
        "--attachment",
        metavar="PATH|URL|-",
        help=_("a file to go along with every row, repeatable (--attachments: files of each row)"),
        callback=by_one_name,
    ),
]
Restart = Annotated[
    bool, typer.Option("--restart", help=_("begin the job anew; its output is emptied"))
]
OnlyNew = Annotated[
    bool, typer.Option("--only-new", help=_("the input has new rows; ask only those"))
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help=_("at most so many rows"))
]
Shard = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help=_("only this part of the rows: 3/8")),
]
InputFormat = Annotated[
    str | None,
    typer.Option("--input-format", metavar="jsonl|csv|tsv|parquet|text", help=_("of the rows")),
]
Summary = Annotated[
    str | None,
    typer.Option("--summary", metavar="FILE", help=_("write what the run came to as JSON")),
]
