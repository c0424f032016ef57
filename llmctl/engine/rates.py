"""How many requests and tokens a minute: rates that were stated, and one learned from refusals."""

from collections.abc import Callable

MINUTE = 60.0
# What may go at once after a pause, as the seconds in which it would have gone one by one: enough
# for an event loop that wakes up late, and less than servers bear.
BURST_S = 0.05
# Processes that share a rate take it in blocks of so many seconds: four transactions a second each.
BLOCK_S = 0.25
# A permit that was not used so long after it was due is void: used later it would come on top of
# others.
LATE_S = 0.25

# Takes so many units at `every` seconds each, with so many seconds of burst: the seconds from now
# until the first of them is due, negative where it was before; None: keep the rate yourself.
Reserve = Callable[[float, float, float], float | None]


class Allowance:
    """So many units (requests, or tokens) a minute, as a virtual schedule (GCRA).

    In no window of a minute begin more than the limit, burst and late ones included, where every
    request is of one unit. A request of many tokens may go as soon as the schedule is not ahead;
    what follows waits for it.
    """

    def __init__(self, per_minute: int, reserve: Reserve | None = None) -> None:
        per_second = per_minute / MINUTE
        burst = max(1.0, per_second * BURST_S)
        self.every = (MINUTE + LATE_S) / (per_minute - (burst - 1))
        self.slack = (burst - 1) * self.every
        self._block = max(1.0, float(int(per_second * BLOCK_S)))
        self._reserve = reserve
        self._next = float("-inf")  # alone: when the schedule is even; shared: when one is due
        self._left = 0.0  # shared: units of the block that was taken
        self._taken = float("-inf")
        self._owed = 0.0  # shared: units that answers used beyond what was taken for them

    def wait(self, units: float, now: float) -> float:
        """Seconds until a request of so many units may begin; 0: now."""
        if self._reserve is not None:
            self._fetch(units, now)
        if self._reserve is not None:
            return max(0.0, self._next - now)
        return max(0.0, self._next - self.slack - now)

    def spend(self, units: float, now: float) -> None:
        """A request of so many units begins."""
        if self._reserve is not None:
            self._left -= units
            self._next += units * self.every
        else:
            self._next = max(now, self._next) + units * self.every

    def correct(self, units: float) -> None:
        """It came to so many units more (or fewer) than were spent."""
        if self._reserve is not None:
            self._owed += units
        else:
            self._next += units * self.every

    def _fetch(self, units: float, now: float) -> None:
        assert self._reserve is not None  # noqa: S101
        if now > max(self._next, self._taken) + LATE_S:
            self._left = 0.0
        if self._left >= units:
            return
        # What is left of a block is not lost but merged into the next one's beginning.
        wanted = max(units - self._left, self._block) + self._owed
        if wanted <= 0:  # answers came to less than was thought: that is spent first
            self._left, self._owed = units, self._owed + units - self._left
            self._next = now
        else:
            due = self._reserve(wanted, self.every, self.slack)
            if due is None:
                self._reserve, self._next = None, now
                return
            first = self._left > 0
            self._left += wanted - self._owed
            self._owed = 0.0
            if not first:
                self._next = now + due
        self._taken = now


# A stretch shorter than this share of the hold that ended it, or of fewer requests, tells a burst
# and no rate.
SHORT, FEWEST = 0.25, 3
# After such a one the rate is felt for from below: doubled in every so many parts of the hold.
DOUBLINGS = 4.0
# It is refused when the burst is used up, too, by when it has run ahead of what is taken.
AHEAD = 0.6
# A rate that was refused is taken up again with a fifth less: the burst of the server is in it.
BACK_OFF = 0.2
# It is reached again after so many times the hold that the refusal cost: then refusals cost at most
# about a tenth of the time.
PATIENCE = 5.0
SHORTEST_HOLD_S = 1.0
# Refused clearly below a rate that was refused before, and told to wait less than it took to come
# to that: twice in a row this is no matter of the rate. Some servers refuse one in fifty, however
# slowly they are asked; then nothing is learned for a while.
BELOW, UNRELATED, DEAF_S = 0.9, 2, 60.0
# After so many of those times, or so many doublings, nothing is known any more.
FORGOTTEN, DOUBLED = 4.0, 12.0


class Learned:
    """The rate (requests a second) that a server seems to take, from the moment it refused one.

    A stretch is what begins between two holds. The rate of a long one, up to the first that was
    refused, is about what is taken: from then on it is cubic as in TCP CUBIC, at once a fifth
    below, near it soon, past it only slowly and then ever faster, since the limit may be another
    one by now. A short one was a burst: then the next stretch begins slowly and doubles.
    """

    def __init__(self) -> None:
        self.stretch = 0
        self.number = 0  # requests begun in this stretch
        self._begun = 0.0
        self._known_at: float | None = None
        self._doubles = False
        self._rate, self._hold = 0.0, SHORTEST_HOLD_S
        self._unrelated = 0
        self._deaf_until = float("-inf")
        self._next = float("-inf")

    def spend(self, now: float) -> None:
        """A request begins."""
        if not self.number:
            self._begun = now
        self.number += 1
        if (rate := self.rate(now)) is not None:
            self._next = max(now, self._next) + 1 / rate

    def wait(self, now: float) -> float:
        """Seconds until a request may begin."""
        return 0.0 if self._known_at is None else max(0.0, self._next - now)

    def refused(self, stretch: int, number: int, began: float, now: float, hold: float) -> None:
        """The `number`-th request of a stretch, which began then, was refused for the rate, which
        costs a hold of so many seconds from `now` on."""
        if stretch != self.stretch:
            return
        long = began - self._begun
        current = self.rate(began)
        self._hold = max(hold, SHORTEST_HOLD_S)
        too_few = current is None and number < FEWEST  # for a rate: the hold is all they tell
        if too_few or self._is_unrelated(current, long, now, hold):
            self._known_at = None
            self.stretch, self.number = self.stretch + 1, 0
            return
        if not long or long < SHORT * hold or number < FEWEST:
            slow = max(1, number - 1) / (long + self._hold)
            self._rate = slow if current is None else min(slow, current)
            self._doubles = True
        else:
            self._rate = number / long
            if current is not None:
                self._rate = current * AHEAD if self._doubles else min(self._rate, current)
            self._doubles = False
        self._known_at = now + hold
        self._next = float("-inf")
        self.stretch, self.number = self.stretch + 1, 0

    def _is_unrelated(self, rate: float | None, long: float, now: float, hold: float) -> bool:
        """Whether a refusal at this rate, after so many seconds, has nothing to do with it."""
        if now < self._deaf_until:
            return True
        if rate is not None and not self._doubles and rate < BELOW * self._rate and long > hold:
            self._unrelated += 1
        else:
            self._unrelated = 0
        if self._unrelated < UNRELATED:
            return False
        self._unrelated = 0
        self._deaf_until = now + DEAF_S
        return True

    def rate(self, now: float) -> float | None:
        """Requests a second; None where nothing is known."""
        if self._known_at is None:
            return None
        times = max(0.0, now - self._known_at) / self._hold
        if self._doubles:
            doubled = times * DOUBLINGS
            if doubled < DOUBLED:
                return float(self._rate * 2**doubled)
        elif times < FORGOTTEN * PATIENCE:
            return self._rate * (1 + BACK_OFF * (times / PATIENCE - 1) ** 3)
        self._known_at = None
        return None
