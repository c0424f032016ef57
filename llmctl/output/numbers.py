"""Numbers for people."""

from llmctl.messages import _


def grouped(number: int) -> str:
    """A count with its thousands apart, as the user's language has it."""
    separator = _("1,000")[1:-3]
    return f"{number:,}".replace(",", separator)
