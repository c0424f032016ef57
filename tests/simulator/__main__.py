"""`python -m tests.simulator [PORT]`: serve until interrupted, and say who may be asked what."""

import signal
import sys

from tests.simulator.exchange import FAULTS
from tests.simulator.site import Simulator


def main() -> int:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    # Blocked before the server's thread starts, so that it is this one that gets them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with Simulator(port) as sim:
        print(f"OpenAI and alike: {sim.openai_url}")
        print(f"Ollama:           {sim.url}")
        print("models: mock, mock-thinks, and mock-fault-NAME with one of these names:")
        print(" ".join(sorted(FAULTS)), flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
