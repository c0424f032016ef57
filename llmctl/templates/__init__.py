"""Prompt templates: TOML files rendered in a sandbox."""

from llmctl.templates.files import folders, load, names
from llmctl.templates.shape import Rendered, Template, Variable

__all__ = ["Rendered", "Template", "Variable", "folders", "load", "names"]
