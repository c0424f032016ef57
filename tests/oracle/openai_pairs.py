"""Calls of ours, and what is given to the official `openai` package for the same."""

import base64
from collections.abc import Mapping
from typing import Any

from llmctl.types import Chat, Media, Message, Role, Text, Tool, message

Body = dict[str, Any]

PICTURE = b"\x89PNG\r\n\x1a\nnot much of one"
SOUND = b"RIFF....WAVE"
PAPER = b"%PDF-1.7 and so on"

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name"],
}


def chat(*messages: Message, **fields: Any) -> Chat:
    return Chat("mock", messages, **{"stream": False, **fields})


USER = message(Role.USER, "Why is the sky blue?")
USER_JSON = {"role": "user", "content": "Why is the sky blue?"}


def url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


SAME: Mapping[str, tuple[Chat, Body]] = {
    "plain": (chat(USER), {"messages": [USER_JSON]}),
    "instructions": (
        chat(message(Role.SYSTEM, "Be brief."), USER),
        {"messages": [{"role": "developer", "content": "Be brief."}, USER_JSON]},
    ),
    "a conversation": (
        chat(USER, message(Role.ASSISTANT, "Because."), message(Role.USER, "Почему? 🌌\u2028")),
        {
            "messages": [
                USER_JSON,
                {"role": "assistant", "content": "Because."},
                {"role": "user", "content": "Почему? 🌌\u2028"},
            ]
        },
    ),
    "tuning": (
        chat(USER, max_tokens=40, temperature=0.5, seed=7, stop=("\n", "END")),
        {
            "messages": [USER_JSON],
            "max_completion_tokens": 40,
            "temperature": 0.5,
            "seed": 7,
            "stop": ["\n", "END"],
        },
    ),
    "fields of the provider": (
        chat(USER, options={"reasoning_effort": "low", "top_p": 0.9, "verbosity": "low"}),
        {
            "messages": [USER_JSON],
            "reasoning_effort": "low",
            "top_p": 0.9,
            "verbosity": "low",
        },
    ),
    "a picture, a sound and a paper": (
        chat(
            Message(
                Role.USER,
                (
                    Text("What is this?"),
                    Media("image/png", PICTURE),
                    Media("image/jpeg", url="https://example.com/a.jpg"),
                    Media("audio/wav", SOUND),
                    Media("application/pdf", PAPER, name="paper.pdf"),
                ),
            )
        ),
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image_url", "image_url": {"url": url("image/png", PICTURE)}},
                        {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg"}},
                        {
                            "type": "input_audio",
                            "input_audio": {
                                "data": base64.b64encode(SOUND).decode(),
                                "format": "wav",
                            },
                        },
                        {
                            "type": "file",
                            "file": {
                                "filename": "paper.pdf",
                                "file_data": url("application/pdf", PAPER),
                            },
                        },
                    ],
                }
            ]
        },
    ),
    "a function": (
        chat(USER, tools=(Tool("save", "Keeps a pet.", SCHEMA),)),
        {
            "messages": [USER_JSON],
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "save",
                        "description": "Keeps a pet.",
                        "parameters": SCHEMA,
                    },
                }
            ],
        },
    ),
    "a schema": (
        chat(USER, schema=SCHEMA),
        {
            "messages": [USER_JSON],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA},
            },
        },
    ),
}
