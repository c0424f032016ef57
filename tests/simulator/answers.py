"""What the simulated model says: the same for the same request, and in the shape asked for."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Four pieces, so that a cut in the middle leaves something on both sides.
PIECES = ("Blue light ", "scatters ", "more than ", "red light.")
TEXT = "".join(PIECES)
THOUGHT = "The question is about Rayleigh."

REPEAT = "Repeat: "


@dataclass(frozen=True, slots=True)
class Asked:
    """What matters of a request, whatever its dialect. `kind` is chat or complete."""

    model: str
    prompt: str
    kind: str = "chat"
    stream: bool = False
    usage: bool = True
    max_tokens: int | None = None
    schema: Mapping[str, Any] | None = None
    tool: tuple[str, Mapping[str, Any]] | None = None
    prompt_tokens: int = 1
    stop: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered. `finish` is in the words of OpenAI; dialects translate it. `extra` is added
    to the last frame as it stands."""

    pieces: Sequence[str] = PIECES
    thought: str | None = None
    tool: tuple[str, str] | None = None
    refusal: str | None = None
    finish: str = "stop"
    usage: bool = True
    prompt_tokens: int | None = None
    extra: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def answer_to(asked: Asked) -> Answer:
    """The answer of a model that works. A prompt `Repeat: X` is answered by X, a schema by an
    instance of it, and a tool offered is called; a model that `judges` prefers the longer of two
    answers."""
    thought = THOUGHT if "thinks" in asked.model else None
    if asked.tool is not None:
        name, parameters = asked.tool
        arguments = json.dumps(invent(parameters, parameters), ensure_ascii=False)
        return Answer((), thought, tool=(name, arguments), finish="tool_calls")
    pieces: Sequence[str] = PIECES
    if asked.schema is not None:
        pieces = split(json.dumps(invent(asked.schema, asked.schema), ensure_ascii=False))
    elif "judges" in asked.model:
        pieces = split(longer(asked.prompt))
    elif asked.prompt.startswith(REPEAT):
        text = asked.prompt.removeprefix(REPEAT)
        ends = [text.index(word) for word in asked.stop if word in text]
        pieces = split(text[: min(ends, default=len(text))])
    if asked.max_tokens is not None and asked.max_tokens < len(pieces):
        return Answer(pieces[: asked.max_tokens], thought, finish="length")
    return Answer(pieces, thought)


def longer(prompt: str) -> str:
    """What a judge says that likes length: of two answers between their marks."""
    found = re.findall(r"BEGIN ANSWER ([AB])\]\n(.*?)\n\[\w+ END", prompt, re.DOTALL)
    best = max(found, key=lambda one: len(one[1]))
    return f"Length counts.\nVERDICT: {best[0]}"


def split(text: str, size: int = 12) -> tuple[str, ...]:
    """The text in pieces of `size` characters."""
    return tuple(text[start : start + size] for start in range(0, len(text), size))


def invent(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """A value that fits the schema: the first or smallest one of each kind."""
    if "$ref" in schema:
        found: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return invent(found, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return invent(schema[choice][0], root)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            properties = schema.get("properties", {})
            return {name: invent(value, root) for name, value in properties.items()}
        case "array":
            item = invent(schema.get("items", {"type": "string"}), root)
            return [item] * max(1, schema.get("minItems", 1))
        case "integer":
            return int(schema.get("minimum", 1))
        case "number":
            return schema.get("minimum", 1.5)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return "pear".ljust(schema.get("minLength", 0), ".")
