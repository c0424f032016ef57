"""Prompt templates: TOML files rendered in a sandbox."""
