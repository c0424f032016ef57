"""Which renderer prints an answer."""

from typing import Protocol

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.aside import Aside
from llmctl.output.footer import Footer
from llmctl.output.plain import Plain
from llmctl.output.sink import sink_to
from llmctl.output.terminal import Terminal, detect
from llmctl.types import Event, Receipt


class Renderer(Protocol):
    """Shows one call: its events as they come, then exactly one of `finish` and `fail`. Each may
    raise PipeClosed or IoFailed."""

    def event(self, event: Event) -> None: ...

    def finish(self, receipt: Receipt) -> None: ...

    def fail(self, receipt: Receipt) -> None:
        """The call failed; the error itself is printed by the caller."""


def renderer(
    *,
    json: bool = False,
    events: bool = False,
    extract: bool = False,
    markdown: bool = True,
    quiet: bool = False,
    receipt: bool = True,
    schema: bool = False,
    usage: bool = False,
    output: str | None = None,
    encoding: str | None = None,
    terminal: Terminal | None = None,
) -> Renderer:
    """The renderer for these flags.

    `markdown` is a wish, granted on a terminal only, and so is `receipt`, the line after the
    answer; `quiet` drops that line, reasoning, notices and progress; `usage` prints the whole
    receipt instead of the line. `output` is a file (None and `-`: standard output); `schema` says
    that the answer is JSON for a schema, shown when it is complete.

    Raises UsageError for flags that exclude one another or an unknown encoding, IoFailed for an
    `output` that cannot be written.
    """
    refuse_two(json + events + extract)
    if encoding is not None:
        streams.use_encoding(encoding)
    terminal = terminal or detect()
    footer = Footer(terminal, line=receipt and not quiet, usage=usage)
    aside = Aside(terminal, quiet=quiet)
    sink = sink_to(output, encoding)
    if json:
        from llmctl.output.whole import Document

        return Document(sink, aside, footer)
    if events:
        from llmctl.output.events import Events

        return Events(sink, footer)
    to_terminal = output in (None, "-") and terminal.stdout.is_tty
    if extract or schema:
        from llmctl.output.whole import Whole

        return Whole(sink, aside, footer, to_terminal=to_terminal, extract=extract)
    if markdown and to_terminal and terminal.stdout.cursor:
        from llmctl.output.markdown import Markdown

        return Markdown(aside, footer, terminal.stdout)
    return Plain(sink, aside, footer, to_terminal=to_terminal)


def refuse_two(formats: int) -> None:
    """Raises UsageError for more than one format at a time."""
    if formats > 1:
        raise UsageError(
            _("--json, --events and --extract exclude one another"),
            hint=_("--json has the whole text too: llmctl … --json | jq -r .text"),
        )
