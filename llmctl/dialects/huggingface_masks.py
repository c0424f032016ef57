"""Encoder models (BERT, RoBERTa) at Hugging Face: a text with gaps goes out, guesses for each gap
come back. Which sign stands for a gap, every model has its own idea of; a text with another one is
refused with the right one named."""

import re
from collections.abc import Iterable, Iterator, Mapping

from llmctl.dialects import Decoder, Frame, HttpCall, failures
from llmctl.dialects.look import at, float_at, parse, text_at
from llmctl.dialects.nested import laid_over
from llmctl.errors import LlmctlError, ProviderFailed, Rejected
from llmctl.messages import _
from llmctl.types import Event, Fill, Finished, FinishReason, Json, Quirks, TextDelta

# Fields of a request beside `parameters`.
TOP_LEVEL = frozenset({"options"})

# "No mask_token (<mask>) found on the input", and how newer versions say it.
_SIGN = re.compile(r"mask_token \(?['\"`]?([<\[][\w|]{1,20}[>\]])")


def request(call: Fill, path: str, quirks: Quirks) -> HttpCall:
    """The request for guesses; whatever is given with -o is a parameter, `top_k` among them."""
    parameters: dict[str, Json] = {} if call.count is None else {"top_k": call.count}
    body: dict[str, Json] = {"inputs": call.prompt}
    for name, value in {**quirks.extra_body, **call.options}.items():
        if name == "parameters":
            parameters = laid_over(name, parameters, value)
        else:
            (body if name in TOP_LEVEL else parameters)[name] = value
    if parameters:
        body["parameters"] = parameters
    return HttpCall("POST", path, body)


def with_sign(error: LlmctlError) -> LlmctlError:
    """An error that names the sign of the model is a refusal of the text, with the sign in its
    `details` under `mask`; one that names none has a hint about it."""
    named = _SIGN.search(error.message)
    if named is None:
        error.hint = error.hint or _(
            "put the model's own sign for a gap into the text: its page on the Hub names it"
        )
        return error
    sign = named[1]
    return Rejected(
        error.message,
        hint=_("this model's sign for a gap is {sign}", sign=sign),
        reason="mask",
        status=error.status,
        request_id=error.request_id,
        details={"mask": sign},
    )


class GuessDecoder(Decoder):
    """One list of guesses, or for several gaps a list of lists. Raises ProviderFailed for an answer
    without any."""

    def __init__(self, model: str) -> None:
        self.done = False
        self.settled = False
        self._model = model

    def feed(self, frame: Frame) -> Iterable[Event]:
        answer = parse(frame.data)
        if at(answer, "error"):
            raise with_sign(failures.inside(answer))
        gaps = answer if isinstance(at(answer, 0), list) else [answer]
        guesses = [[*_guesses(gap)] for gap in gaps]
        if not all(guesses):
            raise ProviderFailed(
                _("the model has guessed nothing"),
                hint=_("ask an encoder model, such as google-bert/bert-base-uncased"),
                reason="no-guesses",
                retryable=False,
            )
        self.done = self.settled = True
        return self._events(guesses)

    def end(self) -> Iterable[Event]:
        return ()

    def _events(self, gaps: list[list[dict[str, Json]]]) -> Iterator[Event]:
        told: list[Json] = []
        for number, guesses in enumerate(gaps, 1):
            if number > 1:
                yield TextDelta("\n")
            for one in guesses:
                yield TextDelta(line(one))
                told.append(one if len(gaps) == 1 else {"gap": number, **one})
        yield Finished(FinishReason.STOP, model=self._model, details={"guesses": told})


def line(guess: Mapping[str, Json]) -> str:
    """The score to four digits, the word and the whole text."""
    word, text = (" ".join(str(guess[name]).split()) for name in ("word", "text"))
    return f"{guess['score']:.4f}\t{word}\t{text}\n"


def _guesses(gap: Json) -> Iterator[dict[str, Json]]:
    """What is a guess in a list, the likeliest first."""
    found: list[tuple[float, dict[str, Json]]] = []
    for one in gap if isinstance(gap, list) else ():
        score, word = float_at(one, "score"), text_at(one, "token_str")
        if score is not None and word is not None:
            text = text_at(one, "sequence") or ""
            found.append((score, {"score": score, "word": word.strip(), "text": text}))
    for _score, guess in sorted(found, key=lambda one: -one[0]):
        yield guess
