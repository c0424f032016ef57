"""Reads the data that ships with us: `llmctl/_providers` and `_config` in a wheel, the sibling
folders in a checkout. Traversables, never only paths, so that a zipped wheel works."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_HERE = Path(__file__).parent


@cache
def _root(name: str) -> Traversable:
    packaged, sibling = _HERE / f"_{name}", _HERE.parent / name
    for folder in (packaged, sibling):
        if folder.is_dir():
            return folder
    from importlib.resources import files  # slow to import, and only a zipped wheel gets here

    return files("llmctl") / f"_{name}"


def providers() -> Traversable:
    """The folder of provider cards, `<id>.toml` each."""
    return _root("providers")


def config() -> Traversable:
    """The folder of shipped settings, templates, schemas and message catalogues."""
    return _root("config")
