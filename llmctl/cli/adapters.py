"""LoRA files for the model inside this process: `-o lora=FILE[=SCALE]`, and the setting of that
name. A server is given its own form of them, as any other field of a request."""

from pathlib import Path
from typing import TypeVar

from llmctl.engine.route import Route
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Call, Json
from llmctl.values import replace

OPTION = "lora"
C = TypeVar("C", bound=Call)


def with_adapters(route: Route, call: C) -> tuple[Route, C]:
    """The route with the files that the call names for its one model, which is loaded with them,
    and the call without them; raises UsageError for what names no files."""
    if route.card.kind != "embedded" or OPTION not in call.options:
        return route, call
    given = call.options[OPTION]
    files = given if isinstance(given, list) else [given] if given else []
    if not all(isinstance(one, str) and one for one in files):
        raise UsageError(
            _("-o lora takes a file for a local model, not {given}", given=given),
            hint=_("such as: -o lora=adapter.gguf, or at half strength -o lora=adapter.gguf=0.5"),
        )
    options = {name: value for name, value in call.options.items() if name != OPTION}
    loaded_with = {**route.target.options, OPTION: adapters(files)}
    target = replace(route.target, options=loaded_with)
    return replace(route, target=target), replace(call, options=options)


def adapters(files: list[str] | tuple[str, ...]) -> list[Json]:
    """`[path, scale]` of each; a file whose name ends like a scale is given with one behind it."""
    found: list[Json] = []
    for one in files:
        path, equals, scale = one.rpartition("=")
        try:
            strength = float(scale) if equals and path else None
        except ValueError:
            strength = None
        name = one if strength is None else path
        found.append(
            [str(Path(name).expanduser().absolute()), 1.0 if strength is None else strength]
        )
    return found
