"""The messages of a row, as chat completions have them: the form in which most people keep them."""

import binascii
from base64 import b64decode
from collections.abc import Mapping

from llmctl.engine.kinds import type_by_name
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Json, Media, Message, Part, Role, Text

ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}


def messages_of(value: Json) -> tuple[Message, ...]:
    """Raises UsageError for what is no conversation, and for parts that are not understood: nothing
    of a row is left out unsaid."""
    if not isinstance(value, list) or not value:
        raise UsageError(_("messages is no list of messages"))
    return tuple(_message(one, number) for number, one in enumerate(value, 1))


def _message(value: Json, number: int) -> Message:
    if not isinstance(value, Mapping):
        raise UsageError(_("message {number} is no object of JSON", number=number))
    role = ROLES.get(str(value.get("role")))
    if role is None:
        raise UsageError(
            _("message {number} has the role {role}; there are: {roles}", number=number,
              role=value.get("role"), roles=", ".join(ROLES))
        )  # fmt: skip
    others = [name for name in value if name not in ("role", "content") and value[name]]
    if others:
        raise UsageError(
            _("message {number} has a field that is not understood: {name}", number=number,
              name=others[0])
        )  # fmt: skip
    content = value.get("content")
    if isinstance(content, str):
        return Message(role, (Text(content),))
    if not isinstance(content, list) or not content:
        raise UsageError(_("message {number} has no text", number=number))
    return Message(role, tuple(_part(one, number) for one in content))


def _part(value: Json, number: int) -> Part:
    kind = value.get("type") if isinstance(value, Mapping) else None
    match kind:
        case "text" | "input_text":
            if isinstance(text := value.get("text"), str):
                return Text(text)
        case "image_url" | "input_image":
            found = value.get("image_url")
            url = found.get("url") if isinstance(found, Mapping) else found
            if isinstance(url, str) and url:
                return _image(url, number)
        case _:
            pass
    raise UsageError(
        _("message {number} has a part that is not understood: {kind}", number=number, kind=kind)
    )


def _image(url: str, number: int) -> Media:
    if not url.startswith("data:"):
        return Media(type_by_name(url.partition("?")[0]) or "image/jpeg", url=url)
    head, _comma, data = url.removeprefix("data:").partition(",")
    media_type, *how = head.split(";")
    try:
        if "base64" not in how:
            raise ValueError
        return Media(media_type or "image/png", data=b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        raise UsageError(
            _("message {number} has a picture that is not base64", number=number)
        ) from None
