"""The conformance matrix: every provider, every feature, every fault of the wire, in one table.

Providers are found by their cards (lanes.py), what must happen stands in table.py (faults) and
features.py; test_matrix.py runs all of it in this process against simulators of their own.
`python -m tests.matrix` writes what comes of it to docs/conformance.md and docs/providers.md.
"""
