"""Options of a format that keeps them in a table of their own inside the request."""

from collections.abc import Mapping

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Json


def laid_over(name: str, below: Mapping[str, Json], value: Json) -> dict[str, Json]:
    """The table `below` with the one that the user gives under its own name on top; raises
    UsageError for anything else."""
    if not isinstance(value, dict):
        raise UsageError(
            _("{name} is a table of options", name=name),
            hint=_("""such as: -o {name}='{{"temperature": 0.1}}'""", name=name),
        )
    return {**below, **value}
