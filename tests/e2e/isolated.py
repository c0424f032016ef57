"""Runs of the command in a network namespace of their own, where only loopback exists.

`python -m tests.e2e.isolated FOLDER` is the program inside: it brings loopback up, answers name
look-ups on 127.0.0.1 itself (nobody knows any name, and each question is counted), starts the
simulator and does what standard input asks for.
"""

import fcntl
import json
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.e2e.harness import Llmctl
from tests.simulator import Simulator

ROOT = Path(__file__).parent.parent.parent
ENTER = ("unshare", "--map-root-user", "--net", "--mount")
# From linux/sockios.h and linux/if.h.
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


@dataclass(frozen=True, slots=True)
class Seen:
    """How a run went: its end, the paths and bodies that reached the simulator, and how many names
    were asked for."""

    code: int
    out: str
    err: str
    paths: list[str]
    bodies: list[str]
    lookups: int


def permitted() -> bool:
    """Whether this machine lets us make such a namespace, with a resolv.conf of its own."""
    if shutil.which("unshare") is None or shutil.which("mount") is None:
        return False
    bind = "mount --bind /dev/null /etc/resolv.conf"
    return (
        subprocess.run([*ENTER, "sh", "-c", bind], capture_output=True, check=False).returncode == 0
    )


def run_isolated(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Seen:
    """One run inside; `{url}` and `{port}` in `env` are the simulator's."""
    order = json.dumps({"arguments": arguments, "env": dict(env or {})})
    done = subprocess.run(
        [*ENTER, sys.executable, "-m", "tests.e2e.isolated", str(folder)],
        input=order, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Seen(**json.loads(done.stdout))


def main(folder: Path) -> None:
    order: Any = json.load(sys.stdin)
    raise_loopback()
    assert not reaches_out()
    names = Names()
    own = folder / "resolv.conf"
    own.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="ascii")
    subprocess.run(["mount", "--bind", str(own), "/etc/resolv.conf"], check=True)
    with Simulator() as sim:
        llmctl = Llmctl(folder, sim)
        env = {
            name: value.replace("{url}", sim.url).replace("{port}", str(sim.port))
            for name, value in order["env"].items()
        }
        result = llmctl.run(*order["arguments"], env=env, timeout=40)
        paths = [one.path for one in sim.requests]
        bodies = [one.body.decode() for one in sim.requests]
    seen = Seen(result.code, result.out, result.err, paths, bodies, names.count)
    json.dump(asdict(seen), sys.stdout)


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(control, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def reaches_out() -> bool:
    """Whether there is a way to another machine; 192.0.2.1 is nobody's (RFC 5737)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return False
    return True


class Names:
    """A name server that knows nobody and counts the questions."""

    def __init__(self) -> None:
        self.count = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            question, asker = self._socket.recvfrom(4096)
            self.count += 1
            # The same question back, as an answer with the code NXDOMAIN (RFC 1035, 4.1.1).
            head = question[:2] + b"\x81\x83" + question[4:6] + bytes(6)
            self._socket.sendto(head + question[12:], asker)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
