"""What an error of a provider says to the user: where it happened, what to do, and no secrets."""

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from llmctl.engine.retry import asked_wait
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, NotFound
from llmctl.keys.secret import masked
from llmctl.messages import _
from llmctl.types import Notice

if TYPE_CHECKING:
    from llmctl.transport.exchange import Reply


async def refused(reply: "Reply", route: Route) -> LlmctlError:
    """The error that a status outside 2xx stands for, with the wait that is asked for."""
    body = await reply.text()
    error = route.dialect.failure(reply.status, reply.headers, body)
    if error.retry_after_s is None:
        error.retry_after_s = asked_wait(reply.headers, error.message, time.time)
    return error


def placed(error: LlmctlError, route: Route, tokens: Collection[str]) -> LlmctlError:
    """`error` with its provider and host, and without any secret the server repeated: neither the
    key nor one of the tokens that were fetched for it."""
    error.provider = error.provider or route.provider
    if not error.host or route.host.startswith(f"{error.host}:"):
        error.host = route.host  # with its port: there may be several servers here
    error.message = masked(error.message, route.secret, tokens)
    error.args = (error.message,)  # a traceback shows these
    error.request_id = error.request_id and masked(error.request_id, route.secret, tokens)
    return error


def advised(error: LlmctlError, route: Route) -> LlmctlError:
    """`error` with a hint, where it has none yet."""
    from llmctl.engine.advice import abroad, advice
    from llmctl.engine.resolve import near_models

    card = route.card
    if isinstance(error, NotFound):
        error.hint = error.hint or near_models(card, route.model)
    others = abroad(card) if error.reason == "region" else []
    error.hint = error.hint or advice(error, has_key=route.secret is not None, others=others)
    return error


def waiting(error: LlmctlError, wait: float, tried: int, most: int) -> Notice:
    """A note on the wait before the next of at most so many tries."""
    return Notice(
        "waiting",
        _(
            "{cause} Trying again in {seconds:.1f} s ({tried} of {most}).",
            cause=error.message.rstrip(".") + ".",
            seconds=wait,
            tried=tried + 1,
            most=most,
        ),
    )
