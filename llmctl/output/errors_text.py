"""An error as the one to four lines that a person reads."""

from llmctl.errors import LlmctlError, PipeClosed
from llmctl.messages import _
from llmctl.output.terminal import safe_line

# Providers send whole pages now and then.
LONGEST_MESSAGE = 500


def error_text(error: LlmctlError) -> str:
    """What happened, where, and what to type next; each line ended by a newline. Empty for a
    reader that went away, which is nothing to speak of."""
    if isinstance(error, PipeClosed):
        return ""
    message = _shortened(error.message)
    lines = [f"llmctl: {message}"]
    if where := _where(error, message):
        lines.append(f"  {where}")
    if error.hint:
        lines.append("  " + _("hint: {hint}", hint=_shortened(error.hint)))
    return "\n".join(lines) + "\n"


def _where(error: LlmctlError, message: str) -> str | None:
    """Provider, host, status and request id, as far as known and not said yet."""
    said = message.lower()
    provider = error.provider if error.provider and error.provider.lower() not in said else None
    host = error.host if error.host and error.host.lower() not in said else None
    parts = []
    if provider and host:
        parts.append(_("at {provider} ({host})", provider=provider, host=host))
    elif provider or host:
        parts.append(_("at {place}", place=provider or host))
    if error.status is not None and str(error.status) not in message:
        parts.append(f"HTTP {error.status}")
    if error.request_id and error.request_id not in message:
        parts.append(_("request {id}", id=error.request_id))
    return safe_line(", ".join(parts)) or None


def _shortened(text: str) -> str:
    """On one line, harmless, and not endless."""
    line = safe_line(" ".join(text.split()))
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"
