"""A recording of real traffic as a document that holds no key.

Everything that may hold one is masked; then the whole is searched once more for every key that is
known and for whatever looks like one, and where anything is found there is no recording at all.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from llmctl import __version__, catalogue
from llmctl.engine.meter import utc_now
from llmctl.engine.proof import Tried
from llmctl.engine.route import Route
from llmctl.errors import CheckFailed
from llmctl.keys import Secret
from llmctl.messages import _
from llmctl.types import Chat, Json, Usage

if TYPE_CHECKING:
    from llmctl.transport.record import Exchange, Recorder

VERSION = 1
MASK = "***"
# What keys and tokens look like, whoever gave them out.
LOOKS_SECRET = re.compile(
    r"\b(?:sk|pk|gsk|xai|hf|tgp|pplx)[-_][A-Za-z0-9_-]{20,}|\bAIza[A-Za-z0-9_-]{30,}"
    r"|\bAQVN[A-Za-z0-9_-]{30,}|\bt1\.[A-Za-z0-9_=-]{40,}|\by0_[A-Za-z0-9_-]{30,}"
    r"|\beyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY"
)
# Shorter values of settings are words such as "free", and stand everywhere.
SHORTEST_SETTING = 8


class Masks:
    """Replaces every secret by three asterisks: the key, what was exchanged for it, and what the
    settings say about the account (the folder, the project)."""

    def __init__(self, route: Route, credentials: Iterable[str]) -> None:
        self._secrets = [Secret(value, "recording") for value in sorted(credentials)]
        if route.secret is not None:
            self._secrets.append(route.secret)
        stated = {one.name: one for one in route.card.settings}
        for name, value in route.quirks.settings.items():
            known = stated.get(name)
            chosen = known is not None and (known.choices or value == known.default)
            if not chosen and len(value) >= SHORTEST_SETTING:
                self._secrets.append(Secret(value, "settings"))

    def text(self, text: str) -> str:
        for secret in self._secrets:
            text = secret.mask(text)
        return text

    def json(self, value: Json) -> Json:
        """`value` with all its texts masked, the names of fields too."""
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return {self.text(str(key)): self.json(item) for key, item in value.items()}
            case list() | tuple():
                return [self.json(item) for item in value]
            case _:
                return value

    def found(self, text: str) -> bool:
        """Whether a secret stands in `text`, or anything that looks like one."""
        return self.text(text) != text or LOOKS_SECRET.search(text) is not None


def recording(route: Route, recorder: "Recorder", tried: Sequence[tuple[Tried, range]]) -> bytes:
    """The file: one JSON document, UTF-8. `tried` are the claims, each with the numbers of its
    exchanges. Raises CheckFailed where a key would stand in it."""
    masks = Masks(route, recorder.credentials)
    known_host = catalogue.is_own_host(route.card, route.target.base_url)
    document = {
        "version": VERSION,
        "llmctl": __version__,
        "made_at": utc_now(),
        "provider": route.provider,
        # A dialect's module has its name.
        "dialect": type(route.dialect).__module__.rpartition(".")[2],
        "model": route.model,
        "host": route.host if known_host else None,
        "quirks": masks.json(asdict(route.quirks)),
        "checks": [
            _check(one, [recorder.exchanges[number] for number in numbers], masks)
            for one, numbers in tried
        ],
    }
    text = json.dumps(document, ensure_ascii=False, indent=1, default=str)
    split = any(one.is_call and _lies_across(one, masks) for one in recorder.exchanges)
    if split or masks.found(text):
        raise CheckFailed(
            _("no recording was written: something in it looks like a key"),
            hint=_("what the server repeats is not to be published; report what it was asked"),
            provider=route.provider,
            reason="secret",
        )
    return text.encode("utf-8", "replace") + b"\n"


def _lies_across(one: "Exchange", masks: Masks) -> bool:
    """Whether a secret lies across two pieces of a body, where masking piece by piece misses it."""
    whole = b"".join(masks.text(piece.decode("utf-8", "surrogateescape"))
                     .encode("utf-8", "surrogateescape") for piece in one.pieces)  # fmt: skip
    return masks.found(whole.decode("utf-8", "replace"))


def _check(one: Tried, exchanges: Sequence["Exchange"], masks: Masks) -> dict[str, Json]:
    answer = one.answer
    finished = answer.finished if answer else None
    return {
        "check": one.check.layer,
        "state": one.check.state.value,
        "said": masks.text(one.check.text),
        "call": masks.json(_call(one.call)) if one.call else None,
        "answer": None if answer is None else {
            "text": masks.text(answer.text),
            "finish": finished.reason.value if finished else None,
            "usage": asdict(finished.usage or Usage()) if finished else None,
            "error": answer.error.code if answer.error else None,
        },
        "exchanges": [_exchange(exchange, masks) for exchange in exchanges],
    }  # fmt: skip


def _call(call: Chat) -> dict[str, Json]:
    """The call, so that it can be made and its answer be decoded again."""
    return {
        "model": call.model,
        "messages": [[one.role.value, one.text] for one in call.messages],
        "max_tokens": call.max_tokens,
        "temperature": call.temperature,
        "seed": call.seed,
        "stop": list(call.stop),
        "schema": dict(call.schema) if call.schema else None,
        "stream": call.stream,
    }


def _exchange(one: "Exchange", masks: Masks) -> dict[str, Json]:
    """Of an exchange of keys for a token neither body is kept: each is a key or holds one."""
    request: dict[str, Json] = {
        "method": one.method,
        "path": masks.text(one.path),
        "headers": list(one.header_names),
    }
    response: dict[str, Json] = {"status": one.status, "headers": masks.json(one.headers)}
    if one.is_call:
        request["body"] = masks.json(_body(one.body))
        response["pieces"] = [_piece(piece, masks) for piece in one.pieces]
    return {"kind": "call" if one.is_call else "token", "request": request, "response": response}


def _body(body: bytes) -> Json:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode("utf-8", "replace")


def _piece(piece: bytes, masks: Masks) -> Json:
    """A piece as text, or as base64 where a letter is cut at its end."""
    try:
        return masks.text(piece.decode("utf-8"))
    except UnicodeDecodeError:
        plain = piece.decode("utf-8", "surrogateescape")
        masked = masks.text(plain).encode("utf-8", "surrogateescape")
        return {"base64": b64encode(masked).decode("ascii")}
