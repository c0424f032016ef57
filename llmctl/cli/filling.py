"""`--fill-mask`: a text with a gap for an encoder model, which guesses the word behind it."""

from typing import TYPE_CHECKING

from llmctl.cli.stdin import Prompt
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import Fill, Json
from llmctl.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmctl.cli.asked import Asked

# What models call a gap. Any of them will do: the sign of the model at hand takes its place.
SIGNS = ("[MASK]", "<mask>")


def refuse_flags(asked: "Asked") -> None:
    """Raises UsageError for what an encoder has no use for: it gets one text and answers words."""
    given: dict[str, object] = {
        "--complete": asked.complete, "-s": asked.system, "-t": asked.template,
        "--schema": asked.schema, "-a": asked.attachment, "-c": asked.continue_ or asked.cid,
        "-x": asked.extract, "--repair": asked.repair, "--max-tokens": asked.max_tokens,
        "--temperature": asked.temperature, "--seed": asked.seed, "--stop": asked.stop,
    }  # fmt: skip
    flag = next(
        (one for one, value in given.items() if not (value is None or value is False)), None
    )
    if flag is not None:
        raise UsageError(
            _("--fill-mask guesses a word; it has no use for {flag}", flag=flag),
            hint=_("leave one of the two out"),
        )


def fill_call(prompt: Prompt, model: str, options: "Mapping[str, Json]") -> Fill:
    """The call for a prompt; raises UsageError for one without a gap."""
    text = prompt.text()
    if not any(sign in text for sign in SIGNS):
        raise UsageError(
            _("there is no {sign} in the text", sign=SIGNS[0]),
            hint=_('put it where the word is missing: "Paris is the [MASK] of France."'),
        )
    return Fill(model, text, options=options)


def with_right_sign(call: Fill, error: LlmctlError | None) -> Fill | None:
    """The same text with the sign that an error names; None where it names none, or that sign has
    been there before."""
    sign = error.details.get("mask") if error is not None else None
    if not isinstance(sign, str) or sign in call.prompt:
        return None
    text = call.prompt
    for one in SIGNS:
        text = text.replace(one, sign)
    return replace(call, prompt=text)
