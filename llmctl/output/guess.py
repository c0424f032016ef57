"""Which single-byte encoding a text that is not UTF-8 is likely in."""

import re

SAMPLE = 20_000

# The Russian letters from the most to the least frequent (Russian National Corpus), which is all
# that is needed to tell text from letters swapped about.
_BY_FREQUENCY = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_RANK = {letter: rank for rank, letter in enumerate(_BY_FREQUENCY)}
_CYRILLIC = ("cp1251", "cp866", "koi8-r")

# A decoded character that is no Russian letter counts as this rank.
_STRANGER = 2 * len(_BY_FREQUENCY)
# koi8-r has small letters where cp1251 has capitals: small ones are the rule, and a capital after
# a small one is wrong.
_CAPITAL = 3.0
_LATE_CAPITAL = 20.0
# Random letters average 16, Russian about 7.
_WORST = 14.0

_HIGH = re.compile(rb"[\x80-\xff]+")


def likely_encoding(data: bytes) -> str | None:
    """cp1251, cp866, koi8-r or cp1252, None where the bytes look like none of them."""
    runs: list[bytes] = _HIGH.findall(data, 0, 50 * SAMPLE)[:SAMPLE]
    if not runs:
        return None
    # Western letters stand alone among ASCII ones, Cyrillic ones in words.
    if sum(map(len, runs)) < 1.5 * len(runs):
        return "cp1252"
    scores = {name: _score(runs, name) for name in _CYRILLIC}
    best = min(scores, key=scores.__getitem__)
    return best if scores[best] < _WORST else None


def _score(runs: list[bytes], name: str) -> float:
    """How unlike Russian the words are when read in the encoding: 0 is all `о`."""
    total, letters = 0.0, 0
    for run in runs:
        before_small = False
        for character in run.decode(name, "replace"):
            small = character.lower()
            total += _RANK.get(small, _STRANGER)
            letters += 1
            if small != character:
                total += _LATE_CAPITAL if before_small else _CAPITAL
            before_small = small == character
    return total / letters
