"""The options that mean the same in every command, each stated once."""

from typing import Annotated

import typer

from llmctl.messages import _

Model = Annotated[
    str | None,
    typer.Option("-m", "--model", metavar="MODEL", help=_("provider/model, a bare id or an alias")),
]
System = Annotated[
    str | None,
    typer.Option("-s", "--system", metavar="TEXT", help=_("instructions before the prompt")),
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "-o", "--option", metavar="KEY=VALUE", help=_("a request field of the provider, repeatable")
    ),
]
Template = Annotated[
    str | None, typer.Option("-t", "--template", metavar="NAME", help=_("a prompt template"))
]
Params = Annotated[
    list[str] | None,
    typer.Option(
        "-p", "--param", metavar="KEY=VALUE", help=_("a variable of the template, repeatable")
    ),
]
Extract = Annotated[
    bool, typer.Option("-x", "--extract", help=_("print only the first fenced code block"))
]
Continue = Annotated[
    bool, typer.Option("-c", "--continue", help=_("go on with the last conversation"))
]
Conversation = Annotated[
    str | None, typer.Option("--cid", metavar="ID", help=_("go on with this conversation"))
]
UsageReceipt = Annotated[
    bool, typer.Option("-u", "--usage", help=_("the full receipt on stderr afterwards"))
]
Schema = Annotated[
    str | None,
    typer.Option(
        "--schema", metavar="FILE|JSON", help=_("a JSON Schema that the answer must match")
    ),
]
Repair = Annotated[
    bool, typer.Option("--repair", help=_("ask once more when the answer misses the schema"))
]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", min=1, metavar="N", help=_("longest answer in tokens"))
]
Temperature = Annotated[
    float | None, typer.Option("--temperature", min=0.0, metavar="X", help=_("0 is the steadiest"))
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="N", help=_("same seed, same text, where honoured"))
]
Stop = Annotated[
    list[str] | None,
    typer.Option("--stop", metavar="TEXT", help=_("end the answer before this text, repeatable")),
]
Complete = Annotated[
    bool, typer.Option("--complete", help=_("continue the text, as base models do; no roles"))
]
NoStream = Annotated[bool, typer.Option("--no-stream", help=_("ask for the answer in one piece"))]
Json = Annotated[bool, typer.Option("--json", help=_("one JSON document on stdout"))]
Events = Annotated[bool, typer.Option("--events", help=_("one JSON object a line as things come"))]
Output = Annotated[
    str | None, typer.Option("--output", metavar="FILE", help=_("write the answer to a file"))
]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help=_("of pipes that are not UTF-8: cp1251, ...")),
]
NoLog = Annotated[bool, typer.Option("--no-log", help=_("keep nothing of this call"))]
Log = Annotated[
    str | None,
    typer.Option("--log", metavar="full|meta|off", help=_("what the ledger keeps of this call")),
]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", min=0.001, metavar="S", help=_("seconds for the whole call")),
]
IdleTimeout = Annotated[
    float | None,
    typer.Option("--idle-timeout", min=0.001, metavar="S", help=_("seconds between two bytes")),
]
Privacy = Annotated[
    str | None,
    typer.Option(
        "--privacy",
        metavar="LEVEL",
        help=_(
            "the worst level to accept: device, network, zero-retention, no-training, may-train"
        ),
    ),
]
LocalOnly = Annotated[
    bool, typer.Option("--local-only", help=_("nothing leaves this machine, look-ups included"))
]
Require = Annotated[
    str | None,
    typer.Option(
        "--require",
        metavar="RULES",
        help=_("region=RU,max-retention=30,no-training,open-weights"),
    ),
]
Redact = Annotated[
    bool,
    typer.Option("--redact", help=_("put placeholders in the place of personal data and keys")),
]
RedactNames = Annotated[
    str | None,
    typer.Option(
        "--redact-names",
        metavar="FILE",
        help=_("put placeholders in the place of these names and words, one a line"),
    ),
]
Secrets = Annotated[
    str | None,
    typer.Option(
        "--secrets",
        metavar="block|redact|allow",
        help=_("what happens with keys and passwords in the prompt"),
    ),
]
AllowLogging = Annotated[
    bool,
    typer.Option("--allow-logging", help=_("do not ask the provider to keep nothing")),
]


def by_one_name(given: list[str] | None) -> list[str] | None:
    """Standard input by one name, whatever it was called: it can be read once only."""
    names = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
    return given and ["-" if one in names else one for one in given]


Attachments = Annotated[
    list[str] | None,
    typer.Option(
        "-a",
        "--attachment",
        metavar="PATH|URL|-",
        help=_("a file to go along, repeatable"),
        callback=by_one_name,
    ),
]
AttachmentType = Annotated[
    str | None,
    typer.Option(
        "--attachment-type", metavar="TYPE", help=_("what the files are, such as application/pdf")
    ),
]
Fetch = Annotated[
    bool, typer.Option("--fetch", help=_("fetch attached URLs here instead of passing them on"))
]
Keep = Annotated[bool, typer.Option("--keep", help=_("leave uploaded files at the provider"))]
FillMask = Annotated[
    bool, typer.Option("--fill-mask", help=_("guess the word behind [MASK] in the prompt"))
]
MaxCost = Annotated[
    str | None,
    typer.Option("--max-cost", metavar='"0.50 USD"', help=_("the most it may cost")),
]
AllowUnknownCost = Annotated[
    bool,
    typer.Option("--allow-unknown-cost", help=_("send it though its price is not known")),
]
Tag = Annotated[
    str | None,
    typer.Option("--tag", metavar="NAME", help=_("put it under this name in the ledger")),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help=_("print what would leave, and send nothing"))
]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help=_("settings under this name"))
]
NoStdin = Annotated[bool, typer.Option("--no-stdin", help=_("do not read standard input"))]
NoInput = Annotated[bool, typer.Option("--no-input", help=_("never ask anything"))]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help=_("no receipt and no notes"))]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help=_("tracebacks and more notes"))]
NoColor = Annotated[bool, typer.Option("--no-color", help=_("plain text on a terminal too"))]
