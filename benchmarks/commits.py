"""How often `git show | llmctl` would be stopped: secrets found in the commits of repositories.

Give checkouts or bare repositories of public projects. Every finding that would stop is printed
with its commit, file and kind, to be looked at: is it a real key, or a false alarm? Of the value
itself only the first four characters are shown.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import arguments, table
from llmctl.privacy.detect import find

MARK = "\x00commit "
CHARACTERS = 2_000_000  # of one commit: what no model would take is not searched


def main() -> int:
    parser = arguments(__doc__, 300)
    parser.add_argument("repositories", nargs="*", type=Path)
    parser.add_argument("--all-types", action="store_true", help="personal data too, counted")
    parser.add_argument("--list", action="store_true", help="print every finding")
    chosen = parser.parse_args()
    if not chosen.repositories:
        print("no repositories were named: nothing was searched")
        return 0
    rows, total, stopped = [], 0, 0
    for repository in chosen.repositories:
        commits = size = blocked = 0
        seconds = 0.0
        kinds: Counter[str] = Counter()
        for commit, text in shown(repository, chosen.rounds):
            begun = time.process_time()
            findings = find(text, types=None if chosen.all_types else {"secret"})
            seconds += time.process_time() - begun
            commits += 1
            size += len(text)
            severe = [one for one in findings if one.type == "secret" and one.severe]
            blocked += bool(severe)
            kinds.update(one.type for one in findings if one.type != "secret")
            kinds["warned"] += any(one.type == "secret" and not one.severe for one in findings)
            for one in findings if chosen.list else severe:
                line = text.count("\n", 0, one.start) + 1
                said = text[one.start : one.start + (40 if one.type != "secret" else 4)]
                print(f"{repository.parent.name} {commit[:10]} {file_of(text, one.start)}:{line}"
                      f" {one.type} {one.name} {said!r}")  # fmt: skip
        counted = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        speed = f"{size / 1e6 / seconds:.1f}" if seconds else ""
        rows.append(
            [
                repository.parent.name,
                str(commits),
                f"{size / 1e6:.1f}",
                str(blocked),
                counted,
                speed,
            ]
        )
        total += commits
        stopped += blocked
    print(table(["repository", "commits", "MB", "stopped", "other", "MB/s"], rows))
    print(f"{stopped} of {total} commits would be stopped")
    return 0


def shown(repository: Path, count: int) -> Iterator[tuple[str, str]]:
    """Commits spread over the whole history, each as `git show` prints it."""
    git = ["git", "-C", str(repository)]
    listed = subprocess.run(
        [*git, "rev-list", "--no-merges", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.split()
    step = max(1, len(listed) // count)
    chosen = listed[::step][:count]
    done = subprocess.run(
        [*git, "show", "--format=%x00commit %H%n%an <%ae>%n%B", "--no-color", "--stdin"],
        input="\n".join(chosen), capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    for part in done.stdout.split(MARK)[1:]:
        commit, _line, text = part.partition("\n")
        yield commit, text[:CHARACTERS]


def file_of(text: str, place: int) -> str:
    at = text.rfind("\n+++ ", 0, place)
    return text[at + 5 : text.find("\n", at + 5)].removeprefix("b/") if at >= 0 else "?"


if __name__ == "__main__":
    sys.exit(main())
