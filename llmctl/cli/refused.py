"""The envelope of a call that failed before anything was sent, for `--json` and `--events`."""

from contextlib import suppress

from llmctl.errors import IoFailed, LlmctlError


def show_refused(
    error: LlmctlError,
    *,
    json: bool,
    events: bool,
    model: str | None = None,
    output: str | None = None,
    encoding: str | None = None,
) -> None:
    """Print the envelope where the answer would have gone, on standard output where that cannot be
    written. Never raises: the error itself is still to be told."""
    from llmctl.engine.meter import Meter
    from llmctl.output.choose import renderer

    receipt = Meter(model or "").receipt(error=error)
    with suppress(LlmctlError):
        try:
            show = renderer(
                json=json, events=events and not json, quiet=True, output=output, encoding=encoding
            )
        except IoFailed:
            show = renderer(json=json, events=events and not json, quiet=True)
        show.fail(receipt)
