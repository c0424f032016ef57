"""Files inside requests of JSON: as base64, with or without what makes a URL of them."""

from base64 import b64encode

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.types import Call, Chat, Count, Json, Media
from llmctl.values import dataclass

# Bytes of what came by a pipe that are not made into base64 before they are sent.
LARGE = 1 << 20


@dataclass(frozen=True, slots=True)
class FileText:
    """A string in a request that is too large to be held: `prefix`, and the file as base64, which
    the transport reads while it sends. As text it is a mark of what stands there."""

    file: Media
    prefix: str = ""

    def __str__(self) -> str:
        name = self.file.name or self.file.media_type
        return f"{self.prefix}<base64 of {name}, {self.file.length} bytes>"


def base64_of(file: Media, prefix: str = "") -> Json:
    """The bytes of a file as a string of a request."""
    if file.data is None or len(file.data) > LARGE:
        return FileText(file, prefix)
    return prefix + b64encode(file.data).decode("ascii")


def data_url(file: Media) -> Json:
    """The same as a URL that holds the file."""
    return base64_of(file, f"data:{file.media_type};base64,")


def files_of(call: Call) -> tuple[Media, ...]:
    """The files in the messages of a call, in their order."""
    if not isinstance(call, Chat | Count):
        return ()
    parts = (part for one in call.messages for part in one.parts)
    return tuple(part for part in parts if isinstance(part, Media))


def not_taken(file: Media) -> UsageError:
    """The error for a kind of file that a format has no word for."""
    return UsageError(
        _("this provider's format has no place for {media_type}", media_type=file.media_type),
        hint=_("put what it says into the prompt, or ask another model with -m"),
    )


def not_by_url(file: Media) -> UsageError:
    """The error for an address where a format takes only the file itself."""
    return UsageError(
        _("this provider takes no {media_type} by URL", media_type=file.media_type),
        hint=_("add --fetch, and llmctl gets it from there and sends it"),
    )
