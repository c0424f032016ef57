"""The HTML report of a comparison of 1,000 runs: how long writing it takes, how large it is.

4 models, 250 answers of 400 characters each, in Russian (two bytes a letter), as 250 prompts, as 50
repeats of 5 and as 250 repeats of one; and one of 10,000 runs, of which not all answers fit.
"""

import sys
import time

from benchmarks.harness import Bar, arguments, cell, report
from llmctl.compare.shape import Comparison
from llmctl.output.report.compare import compare_html
from tests.comparisons import many, summary

SECONDS, MEGABYTES = 2.0, 2.0
SHAPES = ((250, 1), (5, 50), (1, 250))


def written(comparison: Comparison, count: int) -> tuple[list[float], int, int]:
    """Seconds of each round, bytes, and how many answers are in it. What is worked out before, for
    every format alike, is not measured."""
    worked_out = summary(comparison)
    times, text = [], ""
    for number in range(count + 1):
        started = time.perf_counter()
        text = compare_html(comparison, worked_out)
        if number:  # the first round reads style and script
            times.append(time.perf_counter() - started)
    return times, len(text.encode()), text.count("<article")


def main() -> int:
    count: int = arguments(__doc__, 5).parse_args().rounds
    rows, bars = [], []
    for cases, repeat in (*SHAPES, (2500, 1)):
        comparison = many(cases=cases, repeat=repeat)
        times, size, answers = written(comparison, count)
        name = f"{cases} prompts × {repeat}"
        runs = len(comparison.measured)
        rows.append([name, str(runs), cell(times, 1e3), f"{size / 1e6:.2f}", str(answers)])
        if runs == 1000:
            bars.append(Bar(f"{name}: written", times, SECONDS, unit="s"))
        bars.append(Bar(f"{name}: size", [size / 1e6], MEGABYTES, unit="MB"))
    head = ["comparison", "runs", "ms", "MB", "answers shown"]
    return report("HTML report", count, head, rows, bars)


if __name__ == "__main__":
    sys.exit(main())
