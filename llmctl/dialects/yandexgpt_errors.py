"""Yandex Cloud's errors: the gateway's `{"error": {"grpcCode", "httpCode", "message"}}`, a plain
`{"code", "message"}` with the code of gRPC, and failed operations, which have the latter inside."""

import re
from collections.abc import Mapping

from llmctl.dialects import failures
from llmctl.dialects.look import at, int_at, text_at
from llmctl.errors import AuthFailed, LlmctlError
from llmctl.messages import _
from llmctl.types import Json

# What the gateway makes of a code of gRPC.
STATUS_OF: Mapping[int, int] = {
    1: 499,
    2: 500,
    3: 400,
    4: 504,
    5: 404,
    6: 409,
    7: 403,
    8: 429,
    9: 400,
    10: 409,
    11: 400,
    12: 501,
    13: 500,
    14: 503,
    15: 500,
    16: 401,
}
NOT_FOUND = 5

# In the words of programs that look for them: nothing else says so, the code is that of any
# argument that does not fit. Characters count as well as tokens.
TOO_LONG = re.compile(
    r"input tokens must be no more than|text length is .* outside the range"
    r"|too many tokens|prompt is too long"
)
# "Specified folder ID 'a' does not match with service account folder ID 'b'"
OTHER_FOLDER = re.compile(
    r"folder id '?([\w-]*)'? does not match with service account folder id '?([\w-]*)",
    re.IGNORECASE,
)


def failed(status: int, headers: Mapping[str, str], body: str) -> LlmctlError:
    """The error for an answer whose status is outside 2xx."""
    answer = failures.parsed(body)
    said = failures.message_in(answer) or failures.plain(body)
    signs = [word.lower() for word in _words(answer)]
    return _told(
        failures.classify(status, headers, said=said, signs=[*signs, *_signs(answer, said)])
    )


def failed_inside(answer: Json) -> LlmctlError | None:
    """The error inside an answer that began well: a line of a stream, or a failed operation."""
    error = at(answer, "error")
    if not error and not _is_status(answer):
        return None
    error = error or answer
    said = failures.message_in({"error": error}) or str(error)[:300]
    document = {"message": said, "code": _status(error)}
    if signs := _signs({"error": error}, said):
        document["type"] = signs[0]
    return _told(failures.inside({"error": document}))


def _is_status(answer: Json) -> bool:
    """Whether the document itself is the error."""
    return isinstance(at(answer, "code"), int) and text_at(answer, "message") is not None


def _words(answer: Json) -> list[str]:
    found = (text_at(answer, "error", key) for key in ("code", "type", "status"))
    return [word for word in found if word]


def _grpc(error: Json) -> int | None:
    code = int_at(error, "grpcCode")
    return int_at(error, "code") if code is None else code


def _status(error: Json) -> int | None:
    status = int_at(error, "httpCode")
    return status or STATUS_OF.get(_grpc(error) or 0)


def _signs(answer: Json, said: str) -> list[str]:
    """Words of the common table for what only this provider's answers say."""
    if TOO_LONG.search(said.lower()):
        return ["context_length_exceeded"]
    if _grpc(at(answer, "error") or answer) == NOT_FOUND:
        return ["model_not_found"]
    return []


def _told(error: LlmctlError) -> LlmctlError:
    """`error`, or what it really means, with what helps here and nowhere else."""
    if found := OTHER_FOLDER.search(error.message):
        return AuthFailed(
            _("the key belongs to another folder ({own}) than the one that was asked ({asked})",
              own=found[2], asked=found[1]),
            reason="folder",
            status=error.status,
            request_id=error.request_id,
            details={"folder": found[2]},
        )  # fmt: skip
    if error.status == 403 and "art://" in error.message:
        error.hint = _(
            "YandexART is open to few accounts, or needs a role of its own: ai.imageGeneration.user"
            " in the folder"
        )
    elif error.status == 403 and isinstance(error, AuthFailed) and error.reason is None:
        error.hint = _(
            "does the account have the role ai.languageModels.user in the folder, is the model"
            " switched on there, and is billing active?"
        )
    return error
