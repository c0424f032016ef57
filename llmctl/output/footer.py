"""What follows an answer on standard error: the dim receipt line, or the whole receipt."""

from llmctl.output import streams
from llmctl.output.terminal import Terminal
from llmctl.types import Receipt


class Footer:
    """Shows the receipt line where the answer stands on a terminal, and with `usage` the whole
    receipt anywhere, instead of the line; without `line` the line is never shown."""

    def __init__(self, terminal: Terminal, *, line: bool, usage: bool) -> None:
        self._terminal = terminal
        self._usage = usage
        on_terminal = terminal.stdout.is_tty and terminal.stderr.is_tty
        self._line = on_terminal and line and not usage

    def show(self, receipt: Receipt) -> None:
        """After an answer."""
        if self._line:
            from llmctl.output.receipt_line import receipt_line

            line = receipt_line(receipt)
            streams.err(f"\x1b[2m{line}\x1b[0m\n" if self._terminal.stderr.colour else line + "\n")
        self.show_failed(receipt)

    def show_failed(self, receipt: Receipt) -> None:
        """After a call that failed: it may have cost something all the same."""
        if self._usage:
            from llmctl.output.receipt_line import usage_text

            streams.err(usage_text(receipt))
