"""Jobs cut for several machines: each row is of one shard, whoever asks, and wherever.

    seq 8 | parallel llmctl batch run in.jsonl --shard {}/8 --output out-{}.jsonl -m MODEL

Which shard that is follows from the row's name alone, so that rows that are added, removed or put
in another order move no other row; `b2sum -l 64` computes the same number.
"""

from typing import Self

from llmctl.batch.identity import name_of
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.values import dataclass

# More would be no shards any more but rows.
MOST = 1_000_000
SIXTY_FOUR_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`th of `count` parts of a job, from 1."""

    number: int
    count: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Of `3/8`; raises UsageError for what is no such part."""
        number, slash, count = text.partition("/")
        if not (slash and _is_whole(number) and _is_whole(count)):
            raise _unclear(text)
        shard = cls(int(number), int(count))
        if not 1 <= shard.number <= shard.count <= MOST:
            raise _unclear(text)
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def has(self, name: str) -> bool:
        """Whether the row of this name (its id, else its line as text) is of this shard."""
        return self.count == 1 or number_of(name) % self.count == self.number - 1


def number_of(name: str) -> int:
    """The first 64 bits that BLAKE2b makes of a name, the same on every machine."""
    return name_of(name) & SIXTY_FOUR_BITS


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(MOST))


def _unclear(text: str) -> UsageError:
    return UsageError(
        _("{text} is no shard", text=repr(text)[:60]),
        hint=_("the third of eight parts: --shard 3/8"),
    )
