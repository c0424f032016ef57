"""A loopback server that speaks the dialects of providers, with faults on demand.

In a test: `with Simulator() as sim:` and `sim.url`. By hand: `python -m tests.simulator`.
The model's name chooses what happens: `mock` answers well, `mock-fault-NAME` does what the fault of
that name does (see faults.py, sse_faults.py, ndjson_faults.py); `sim.script(...)` does the same for
the next requests whatever their model.
"""

from tests.simulator.site import Simulator
from tests.simulator.wire import Request

__all__ = ["Request", "Simulator"]
