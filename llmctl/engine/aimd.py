"""How many requests may be under way: halved on trouble, one more after each round of answers, and
a tenth less where more at a time only makes each of them slower.

What a number here is for stands beside it; none of them depends on a provider.
"""

from statistics import median

# Fewer answers than this say nothing of a median: with 16 of them, noise of a factor of two moves
# it by some 20 %.
WINDOW = 16
# So much slower than at its best is a queue in front of the server. Latencies of healthy servers
# differ between rounds by less than a factor of two.
SLOWER = 2.5
# One slow window may be chance, two in a row hardly ever are.
PROVEN = 2
# The step down on latency: a queue does no harm but waiting, so it is left slowly.
LESS = 0.9
# By so much more throughput than before a longer wait is worth it, and so much less than before
# says that the step down was wrong.
WORTH = 1.05
# What is "at its best" is taken for twice as slow after so long: the model behind a name changes,
# and so does the day's load; a best that is hours old must not rule.
FADES_S = 1800.0
# A request costs about as long as so many tokens before its first token comes.
HEAD_TOKENS = 20


class Concurrency:
    """Starts at `most` and never leaves 1 to `most`. Times are seconds of one monotonic clock."""

    def __init__(self, most: int) -> None:
        self.most = max(1, most)
        self.generation = 0  # requests that began in an earlier one knew nothing of the change
        self.why: str | None = None  # what the last decrease was for
        self._limit = float(self.most)
        self._successes = 0
        self._settling = 0  # answers that are not looked at yet
        self._slow = 0  # windows in a row
        self._windows = _Windows()
        self._before: tuple[float, float] | None = None  # limit and throughput before a step down

    @property
    def limit(self) -> int:
        return int(self._limit)

    def trouble(self, began_in: int, why: str) -> bool:
        """The server refused for being asked too much; whether that was news."""
        if began_in != self.generation:
            return False
        self._step(max(1.0, int(self._limit) // 2), why)
        self._before = None
        return True

    def answered(self, began_in: int, ended: float, seconds: float, tokens: int | None) -> None:
        """An answer came at `ended`, after `seconds`, with so many tokens if that is known."""
        if began_in == self.generation and self._settling:
            self._settling -= 1
            self._windows.restart(ended)
        elif began_in == self.generation:
            self._windows.add(ended, seconds, tokens)
            if self._windows.count >= max(WINDOW, self.limit):
                self._look()
        self._successes += 1
        if self._successes >= self.limit:
            self._successes = 0
            if self._limit < self.most and not self._slow:
                self._limit = min(float(self.most), self._limit + 1)
                if self.limit >= self.most:
                    self.why = None

    def _look(self) -> None:
        middle, best, throughput, best_throughput = self._windows.close()
        before, self._before = self._before, None
        slower = middle > SLOWER * best and throughput < WORTH * best_throughput
        self._slow = self._slow + 1 if slower else 0
        if before is not None and throughput * WORTH < before[1]:
            # The server has become slower by itself, and fewer at a time made it no better.
            self._limit = max(self._limit, before[0])
            self._windows.forget()
            self._slow = 0
        elif self._slow >= PROVEN and self._limit > 1:
            self._before = self._limit, throughput
            self._step(max(1.0, self._limit * LESS), "latency")

    def _step(self, limit: float, why: str) -> None:
        self._limit, self.why = limit, why
        self.generation += 1
        self._successes = 0
        self._windows.restart()
        # The first round after it has waited behind what was there before.
        self._settling = self.limit


class _Windows:
    """Medians of rounds of answers, and the best of them so far.

    Where all answers of a window tell their tokens, seconds count by the token: one of a thousand
    takes longer than one of ten, and the server is none the slower. The two kinds are never
    compared with each other.
    """

    def __init__(self) -> None:
        self.count = 0
        self._since: float | None = None
        self._ended = 0.0
        self._seconds: list[float] = []
        self._by_token: list[float] = []
        self._tokens = 0
        self._best: dict[bool, tuple[float, float]] = {}  # median and throughput, by the kind

    def add(self, ended: float, seconds: float, tokens: int | None) -> None:
        self.count += 1
        if self._since is None:
            self._since = ended - seconds
        self._ended = max(self._ended, ended)
        self._seconds.append(seconds)
        if tokens is not None:
            self._tokens += tokens
            self._by_token.append(seconds / (HEAD_TOKENS + tokens))

    def close(self) -> tuple[float, float, float, float]:
        """Median and best median, throughput and that of the best window; begins a new window."""
        counted = len(self._by_token) == self.count
        middle = median(self._by_token if counted else self._seconds)
        amount = HEAD_TOKENS * self.count + self._tokens if counted else self.count
        throughput = amount / max(self._ended - (self._since or 0.0), 1e-9)
        best, its_throughput = self._best.get(counted, (middle, throughput))
        best *= 2 ** ((self._ended - (self._since or 0.0)) / FADES_S)
        if middle <= best:
            best, its_throughput = middle, throughput
        self._best[counted] = best, its_throughput
        self.restart(self._ended)
        return middle, best, throughput, its_throughput

    def restart(self, since: float | None = None) -> None:
        """Drop what the window under way has."""
        self.count = self._tokens = 0
        self._since = since
        self._seconds, self._by_token = [], []

    def forget(self) -> None:
        """What was best is not to be had any more."""
        self._best.clear()
