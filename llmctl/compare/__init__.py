"""Comparing models: what is asked of whom in which order, and what the answers prove."""
