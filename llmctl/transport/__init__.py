"""The only place that touches the network and the only importer of httpx."""

import sys

# Where click, rich and pygments happen to be installed, `import httpx` loads all three for a
# command line of its own: 40 ms of every start. A module known to be missing is not looked for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is how that is said
