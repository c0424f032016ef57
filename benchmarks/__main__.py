"""`python -m benchmarks` lists the programs, `python -m benchmarks NAME …` runs one of them with
its own arguments, `python -m benchmarks all` runs them one after the other.

The exit code is 1 when a bar was missed.
"""

import ast
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TOOLS = {
    *("__init__", "__main__", "contenders", "crowdserver", "harness", "laneserver"),
    *("loadserver", "pacedserver", "peers", "vectorserver"),
}


def programs() -> dict[str, str]:
    """Name and first line of each program's docstring."""
    found = {}
    for path in sorted(HERE.glob("*.py")):
        if path.stem not in TOOLS:
            text = ast.get_docstring(ast.parse(path.read_bytes())) or ""
            found[path.stem] = text.partition("\n\n")[0].replace("\n", " ")
    return found


def run(name: str, arguments: list[str]) -> int:
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    return subprocess.run(command, cwd=HERE.parent, check=False).returncode


def main() -> int:
    listed = programs()
    name, *arguments = sys.argv[1:] or ["list"]
    if name == "all":
        codes = [run(one, arguments) for one in listed]
        return max(codes)
    if name in listed or name == "peers":
        return run(name, arguments)
    width = max(map(len, listed))
    print("First, once: python -m benchmarks peers   (makes the virtual environments)\n")
    for one, text in listed.items():
        print(f"  {one:<{width}}  {text}")
    print("\npython -m benchmarks NAME [-n ROUNDS], or `all`")
    return 0 if name == "list" else 2


if __name__ == "__main__":
    raise SystemExit(main())
