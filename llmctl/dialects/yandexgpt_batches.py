"""Yandex's asynchronous mode as a batch: each row begins an operation, which is asked after and
whose answer is kept for three days. (Its batches proper have no REST.)"""

import re
from collections.abc import Mapping

from llmctl.dialects import HttpCall
from llmctl.dialects.batches import Gone, OneByOne, Result, named
from llmctl.dialects.look import at, int_at, text_at
from llmctl.types import Json

OPERATION = re.compile(r"[A-Za-z0-9_-]+")
CANCELLED = 1  # of gRPC


class YandexOperations(OneByOne):
    """`foundationModels/v1/completionAsync` and `operations/…`."""

    settings: Mapping[str, str] = {"mode": "async"}

    def begun(self, answer: Json) -> str:
        name = text_at(answer, "id") or ""
        return named(name if OPERATION.fullmatch(name) else None, "completionAsync")

    def look(self, job: str) -> HttpCall:
        return HttpCall("GET", f"operations/{job}", base="operations_url")

    def result(self, id: str, answer: Json) -> Result | None:
        if at(answer, "done") is not True:
            return None
        if int_at(answer, "error", "code") == CANCELLED:
            return Result(id=id, gone=Gone.CANCELLED)
        return Result(id=id, body=answer, request_id=text_at(answer, "id"))

    def cancel(self, job: str) -> HttpCall:
        return HttpCall("GET", f"operations/{job}:cancel", base="operations_url")
