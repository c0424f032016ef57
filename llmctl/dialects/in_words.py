"""A schema told to the model, for hosts that cannot hold it to one."""

import json
from collections.abc import Mapping

from llmctl.types import Json

# English whatever the user's language: models follow it best.
IN_WORDS = (
    "Answer with one JSON value that matches this JSON Schema, and with nothing before or"
    " after it:\n"
)


def in_words(schema: Mapping[str, Json]) -> str:
    return IN_WORDS + json.dumps(schema, ensure_ascii=False)
