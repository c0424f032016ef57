"""Megabytes of an installation without extras, in a virtual environment of its own."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import ROOT, machine, table

LIMIT_MB = 45.0
NOT_OURS = {"pip", "setuptools", "_distutils_hack", "pkg_resources", "distutils-precedence.pth"}


def sizes(venv: Path, *, bytecode: bool) -> dict[str, float]:
    """MB (10^6 bytes, whole blocks as the disk gives them) by entry of site-packages, without
    what every virtual environment starts with."""
    found: dict[str, float] = {}
    (site,) = venv.glob("lib/python*/site-packages")
    for path in site.rglob("*"):
        entry = path.relative_to(site).parts[0]
        name = entry.partition("-")[0].partition(".")[0]
        if path.is_file() and not {entry, name} & NOT_OURS:
            counts = bytecode or path.suffix != ".pyc"
            found[name] = found.get(name, 0.0) + counts * path.stat().st_blocks * 512 / 1e6
    return found


def show(venv: Path) -> int:
    """Print the largest and the sum; what is downloaded and installed has the limit, the bytecode
    that Python writes beside it (or does not: uv leaves that to the first run) is shown too."""
    installed, compiled = (sizes(venv, bytecode=one) for one in (False, True))
    total, with_bytecode = sum(installed.values()), sum(compiled.values())
    order = sorted(installed, key=lambda name: -installed[name])
    rows = [[name, f"{installed[name]:.1f}", f"{compiled[name]:.1f}"] for name in order[:12]]
    rest = [sum(one[name] for name in order[12:]) for one in (installed, compiled)]
    rows.append([f"{len(order) - 12} more", *(f"{size:.1f}" for size in rest)])
    rows.append(["all", f"{total:.1f}", f"{with_bytecode:.1f}"])
    print(f"\n## Size of an installation without extras\n\n{machine()}\n")
    print(table(["in site-packages", "MB", "MB with bytecode"], rows))
    verdict = "pass" if total < LIMIT_MB else "FAIL"
    print(f"\n{total:.1f} MB, limit {LIMIT_MB:g}: {verdict}", flush=True)
    return 0 if total < LIMIT_MB else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", metavar="VENV", help="an environment that is there already")
    parser.add_argument("-n", "--rounds", help="ignored: a size is a size")
    given: str | None = parser.parse_args().of
    if given:
        return show(Path(given))
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder) / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run(
            [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", str(ROOT)], check=True
        )
        return show(venv)


if __name__ == "__main__":
    sys.exit(main())
