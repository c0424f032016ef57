"""llmctl: one command line for every language model."""

__version__ = "0.1.0"
