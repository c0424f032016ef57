"""Makes the virtual environments of the programs that are compared: `python -m benchmarks peers`.

They go to the folder that BENCH_DIR names (default: llmctl-bench in the folder for temporary
files), each program in its own, because what else is installed changes how fast a program starts.
llmctl is installed anew from this checkout each time, without extras and without what developers
need (in llmctl-aiohttp with a peer of its connections); the others are kept once made (--fresh
makes them anew).
"""

import argparse
import re
import shutil
import subprocess
import sys

from benchmarks.harness import BENCH, ROOT, venv_python

PEERS: dict[str, list[str]] = {
    "llm": ["llm"],
    "httpx": ["httpx>=0.28,<0.29"],
    "aiohttp": ["aiohttp>=3.11,<4"],
    "httpx-aiohttp": ["httpx>=0.28,<0.29", "httpx-aiohttp>=0.1"],
    "openai": ["openai>=3", "numpy"],
    "openai-aiohttp": ["openai[aiohttp]>=3"],
    "litellm": ["litellm>=1.100", "rich"],
    "typer28": ["typer==0.28.*"],
    "typer29": ["typer==0.29.*"],
}

OURS: dict[str, list[str]] = {"llmctl": [], "llmctl-aiohttp": ["httpx-aiohttp>=0.1"]}


def make(name: str, requirements: list[str]) -> None:
    folder = BENCH / "venvs" / name
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip(name, *requirements)


def pip(name: str, *arguments: str) -> None:
    command = [venv_python(name), "-m", "pip", "install", "--quiet", *arguments]
    subprocess.run(command, check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="make all of them anew")
    if parser.parse_args().fresh:
        shutil.rmtree(BENCH / "venvs", ignore_errors=True)
    (BENCH / "venvs").mkdir(parents=True, exist_ok=True)
    for name, requirements in PEERS.items():
        if not (BENCH / "venvs" / name / "bin").exists():
            make(name, requirements)
    for name, others in OURS.items():
        if not (BENCH / "venvs" / name / "bin").exists():
            make(name, [str(ROOT), *others])
        else:
            pip(name, "--force-reinstall", "--no-deps", str(ROOT))
            pip(name, str(ROOT), *others)
    for name in [*OURS, *PEERS]:
        frozen = subprocess.run(
            [venv_python(name), "-m", "pip", "list", "--format", "freeze"],
            check=True,
            capture_output=True,
            text=True,
        )
        wanted = [re.split(r"[\[=<>]", requirement)[0] for requirement in {**OURS, **PEERS}[name]]
        versions = [
            line
            for line in frozen.stdout.splitlines()
            if line.split("==")[0] in (*wanted, "llmctl-cli")
        ]
        print(f"{name}: {', '.join(versions)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
