"""Models of one account that are refused while its others are answered: they alone are held."""

from llmctl.store.paces import MAX_HOLD_S

# Refused without a word on how long: such a hold, doubled by each further refusal without a success
# in between, up to the longest.
UNTOLD_S, UNTOLD_MOST_S = 0.5, 60.0


class Apart:
    """Hears of the tries of all models of an account. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._refused: dict[str, _Refused] = {}

    def answered(self, of: str, began: float) -> None:
        """A model has answered what began then."""
        self._refused.pop(of, None)
        for refused in self._refused.values():
            refused.others |= began >= refused.since

    def refused(self, of: str, now: float, told: float | None) -> bool:
        """Whether a refusal, for so many seconds if that was said, is a matter of the model alone:
        it has answered nothing since the one before, and others have."""
        refused = self._refused.setdefault(of, _Refused(now))
        if refused.others:
            hold = untold(refused.times) if told is None else told
            refused.times += 1
            refused.until = max(refused.until, now + min(hold, MAX_HOLD_S))
        return refused.others

    def left(self, of: str, now: float) -> float:
        """Seconds for which that model is held."""
        refused = self._refused.get(of)
        return 0.0 if refused is None else max(0.0, refused.until - now)


class _Refused:
    """A model that was refused and has answered nothing since."""

    __slots__ = ("others", "since", "times", "until")

    def __init__(self, since: float) -> None:
        self.since = since
        self.others = False  # whether another one has answered what began since
        self.times = 0  # that it alone was refused
        self.until = float("-inf")


def untold(times: int) -> float:
    """Seconds of a hold after so many refusals before it."""
    return float(min(UNTOLD_MOST_S, UNTOLD_S * 2 ** min(10, max(0, times))))
