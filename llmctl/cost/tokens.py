"""How many tokens a text has, without its model's vocabulary: from counts of its words and signs.

What one of them takes in tokens was fitted to the counts of four vocabularies on some 1,200 pieces
(of 500 to 6,000 characters) of English and Russian prose, documentation, code, JSON, TOML and
diffs, and a few other languages. Over a piece of these kinds the mean error is 5 %, and one in a
hundred is off by more than 20 %, most of them short. Random letters and rare signs are
underestimated by more: where a cap is to be kept, `at_most` counts instead.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from llmctl.cost.asked import served, written
from llmctl.cost.bound import at_most
from llmctl.cost.classes import CYRILLIC, DIGITS, LATIN, SIGNS, classed
from llmctl.cost.estimate import ESTIMATE, Counted
from llmctl.types import (
    Chat,
    Complete,
    Count,
    Embed,
    Fill,
    Image,
    Media,
    Text,
    ToolCall,
    ToolResult,
)
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.cards import Model
    from llmctl.types import Call, Part

# An estimate is taken to be within this of the count, either way.
ERROR = 1.25

# Tokens that stand around each message, and before the answer.
MESSAGE, ANSWER = 4, 3

# Fields of a request that are no longer than this as JSON only switch things.
SWITCHES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Tokens by what is counted in a text. `words` begin anew inside camelCase; `long` is every
    eighth Latin letter of a word in a row, `very_long` every twentieth, `capitals` every fourth
    capital; `cyrillic_capitals` is every second in a row, `cyrillic_long` every twenty-fourth
    letter of a word, `cyrillic_rare` are letters that Russian has not; `digits`, `signs`
    (punctuation of ASCII) and `marks` (that of other blocks) are counted one by one, their `runs`
    once each, `sign_heaps` are every four signs in a row that are not there to draw a line;
    `indents` are lines that begin with a space; `indic` are the scripts of South Asia and Thailand,
    `rare` those that have three bytes a letter and few texts (Ethiopic, Khmer, Cherokee)."""

    words: float
    long: float
    very_long: float
    capitals: float
    cyrillic: float
    cyrillic_words: float
    cyrillic_capitals: float
    cyrillic_long: float
    cyrillic_rare: float
    digits: float
    digit_runs: float
    signs: float
    sign_runs: float
    sign_heaps: float
    newlines: float
    indents: float
    accented: float
    others: float
    armenian: float
    indic: float
    georgian: float
    rare: float
    marks: float
    cjk: float
    hangul: float
    emoji: float


FAMILIES: dict[str, Weights] = {
    "o200k": Weights(
        words=1.062, long=0.473, very_long=9.0, capitals=0.6,
        cyrillic=0.026, cyrillic_words=1.597,
        cyrillic_capitals=0.93, cyrillic_long=16.0, cyrillic_rare=0.5,
        digits=0.316, digit_runs=0.955,
        signs=0.212, sign_runs=0.578, sign_heaps=1.2,
        newlines=0.227, indents=0.553,
        accented=1.398, others=0.402, armenian=0.34, indic=0.4, georgian=0.34, rare=1.7,
        marks=1.421, cjk=0.82, hangul=0.63, emoji=1.5,
    ),
    "cl100k": Weights(
        words=1.064, long=0.57, very_long=9.4, capitals=0.6,
        cyrillic=0.183, cyrillic_words=1.906,
        cyrillic_capitals=1.23, cyrillic_long=17.0, cyrillic_rare=1.7,
        digits=0.315, digit_runs=0.981,
        signs=0.205, sign_runs=0.592, sign_heaps=1.2,
        newlines=0.0, indents=0.701,
        accented=3.078, others=0.869, armenian=2.1, indic=1.15, georgian=2.0, rare=2.45,
        marks=1.547, cjk=1.168, hangul=1.1, emoji=2.83,
    ),
    "llama3": Weights(
        words=1.058, long=0.524, very_long=9.4, capitals=0.58,
        cyrillic=0.133, cyrillic_words=1.227,
        cyrillic_capitals=1.1, cyrillic_long=16.0, cyrillic_rare=1.7,
        digits=0.313, digit_runs=0.97,
        signs=0.203, sign_runs=0.58, sign_heaps=1.2,
        newlines=0.223, indents=0.559,
        accented=3.16, others=0.476, armenian=2.1, indic=0.7, georgian=2.0, rare=2.45,
        marks=1.489, cjk=0.767, hangul=0.8, emoji=3.148,
    ),
    "qwen3": Weights(
        words=1.054, long=0.598, very_long=9.4, capitals=0.6,
        cyrillic=0.125, cyrillic_words=1.507,
        cyrillic_capitals=1.1, cyrillic_long=16.0, cyrillic_rare=1.7,
        digits=0.953, digit_runs=0.702,
        signs=0.206, sign_runs=0.582, sign_heaps=1.2,
        newlines=0.0, indents=0.71,
        accented=3.005, others=0.463, armenian=2.1, indic=1.15, georgian=2.0, rare=2.45,
        marks=1.517, cjk=0.673, hangul=0.9, emoji=2.112,
    ),
}  # fmt: skip


# A thousand characters of Russian as they are on average in novels, handbooks and messages.
RUSSIAN = {"cyrillic": 748, "cyrillic_words": 146, "signs": 52, "sign_runs": 45, "newlines": 12,
           "words": 8, "digits": 1, "digit_runs": 1, "marks": 4}  # fmt: skip


def shape(text: str) -> dict[str, int]:
    """What `Weights` weigh, counted in a text in time linear in its length."""
    encoded = text.encode("utf-8", "surrogatepass")
    kinds = classed(encoded)
    latin, digits, signs = (kinds.translate(table) for table in (LATIN, DIGITS, SIGNS))
    counts = {
        "words": latin.count(b".a") + kinds.count(b"aA"),
        "long": latin.count(b"a" * 8),
        "very_long": latin.count(b"a" * 20),
        "capitals": kinds.count(b"A" * 4),
        "digits": digits.count(b"d"),
        "digit_runs": digits.count(b".d"),
        "signs": signs.count(b"p"),
        "sign_runs": signs.count(b".p"),
        "sign_heaps": kinds.count(b"pppp"),
        "newlines": kinds.count(b"n") - 1,
        "indents": kinds.count(b"ns"),
    }
    if not encoded.isascii():
        cyrillic = kinds.translate(CYRILLIC)
        georgian = sum(encoded.count(begin) for begin in (b"\xe1\x82", b"\xe1\x83"))
        counts |= {
            "cyrillic": cyrillic.count(b"r"),
            "cyrillic_words": cyrillic.count(b".r"),
            "cyrillic_capitals": kinds.count(b"KK"),
            "cyrillic_long": cyrillic.count(b"r" * 24),
            "cyrillic_rare": kinds.count(b"k"),
            "accented": kinds.count(b"l"),
            "others": kinds.count(b"o"),
            "armenian": kinds.count(b"m"),
            "indic": kinds.count(b"i"),
            "georgian": georgian,
            "rare": kinds.count(b"j") - georgian,
            "marks": kinds.count(b"q"),
            "cjk": kinds.count(b"c"),
            "hangul": kinds.count(b"h"),
            "emoji": kinds.count(b"e"),
        }
    return counts


def weighed(counts: dict[str, int], weights: Weights) -> float:
    """Tokens of a text of such a shape."""
    return sum((getattr(weights, name) * number for name, number in counts.items()), 0.0)


def count(
    call: Call, model: Model | None, *, exact: bool = False, careful: bool = False
) -> Counted:
    """The input tokens of a call: with `exact` by the model's own vocabulary where the card names
    it and the `tokens` extra is installed, else estimated.

    For a model of unknown vocabulary the estimate is the highest of all families, and its lower end
    that of the lowest. `careful` takes for the most what the scripts of the text allow.
    """
    texts, around, left_out = content(call)
    switches = written(call.options) if call.options else ""
    if len(switches) > SWITCHES:  # no switches: there are descriptions, schemas, texts among them
        texts.append(switches)
        switches = ""
    elif exact and model is not None and model.tokenizer and not left_out:
        from llmctl.cost.exact import counted

        if (found := counted(call, model.tokenizer, texts)) is not None:
            return replace(found, most=found.most + at_most(switches))
    known = families(model)
    text = "\n".join(texts)
    whole = shape(text)
    estimates = [weighed(whole, weights) for weights in known]
    most = int(max(estimates) * ERROR) + 1
    return Counted(
        tokens=round(max(estimates)) + around,
        least=int(min(estimates) / ERROR) + min(around, 1),
        most=max(most, at_most(text) if careful else 0) + at_most(switches) + around,
        method=ESTIMATE,
        left_out=left_out,
    )


def families(model: Model | None) -> list[Weights]:
    """The weights that may hold for a model: its vocabulary's, or all where that is not known."""
    named = (model.tokenizer or model.tokenizer_like) if model else None
    return [FAMILIES[named]] if named in FAMILIES else list(FAMILIES.values())


def russian(model: Model | None) -> int:
    """Tokens of a thousand characters of Russian, the most that the vocabulary may take."""
    return round(max(weighed(RUSSIAN, weights) for weights in families(model)))


def content(call: Call) -> tuple[list[str], int, tuple[str, ...]]:
    """(texts that are sent beside the options, tokens around them, what is not counted: types of
    media, tools that run at the provider)"""
    match call:
        case Complete() | Image() | Fill():
            return [call.prompt], 1, tuple(served(call.options))
        case Embed():
            return list(call.texts), len(call.texts), ()
        case Chat() | Count():
            parts = [part for one in call.messages for part in one.parts]
            texts = [text for part in parts for text in _texts(part)]
            for tool in call.tools:
                texts += [tool.name, tool.description, _json(tool.parameters)]
            if call.schema is not None:
                texts.append(_json(call.schema))
            around = MESSAGE * (len(call.messages) + len(call.tools)) + ANSWER
            media = (part.media_type for part in parts if isinstance(part, Media))
            return texts, around, tuple(dict.fromkeys((*media, *served(call.options))))


def _texts(part: Part) -> tuple[str, ...]:
    match part:
        case Text(text):
            return (text,)
        case ToolCall(_id, name, arguments):
            return (name, arguments)
        case ToolResult(_id, name, text):
            return (name, text)
        case Media():
            return ()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=dict)
