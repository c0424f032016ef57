"""Every check there is, in one command: `python -m tests [arguments for pytest]`.

Style and types go first because they take seconds; pytest goes last, so that its summary is what
stands at the end. All of them run whatever the ones before said.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHECKS = (
    ("ruff", "check", "--quiet", "."),
    ("ruff", "format", "--check", "--quiet", "."),
    ("mypy", "--no-error-summary"),
    # Two workers keep two cores busy; each may start a server with a model of its own.
    ("pytest", "-n", "auto", "--maxprocesses", "4", *sys.argv[1:]),
)


def main() -> int:
    """Run the checks; 1 when any of them failed."""
    failed = []
    for tool, *arguments in CHECKS:
        print(f"== {tool} {' '.join(arguments)}".rstrip(), flush=True)
        done = subprocess.run([sys.executable, "-m", tool, *arguments], cwd=ROOT, check=False)
        if done.returncode:
            failed.append(tool)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
