"""Tokens that are fetched, shared by all processes, and renewed: what such flows have in common."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator

import httpx

from llmctl.transport.auth.tokens import Clock, Shelf, Token
from llmctl.transport.turn import turn


class Renewed(ABC, httpx.Auth):
    """Fetches a token, shares it by its shelf, and renews it before its end and once after a 401.
    One at a time fetches, of this process and of all; the others find the token there."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock
        self._token: Token | None = None
        self._alone = asyncio.Lock()

    async def at_hand(self, now: float) -> Token | None:
        """A token that can be had without a request."""
        return None

    @abstractmethod
    def request(self, now: float) -> httpx.Request:
        """The request for a token; `now` is Unix time."""

    @abstractmethod
    def granted(self, response: httpx.Response, now: float) -> Token:
        """The token in an answer, which has been read; raises LlmctlError for a refusal."""

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        refused: str | None = None
        while True:
            token = self._fresh(refused)
            if token is None:
                async with self._alone, turn(self._shelf.lock):
                    token = self._fresh(refused)  # somebody else may have been faster
                    if token is None:
                        now = self._clock()
                        token = await self.at_hand(now)
                        if token is None:
                            answer = yield self.request(now)
                            await answer.aread()
                            token = self.granted(answer, now)
                        self._token = token
                        self._shelf.write(token)
            request.headers["Authorization"] = f"Bearer {token.value}"
            response = yield request
            if response.status_code != 401 or refused is not None:
                return
            refused = token.value

    def _fresh(self, refused: str | None) -> Token | None:
        """A token that should be taken, and is not the one that was not."""
        now = self._clock()
        for kept in (True, False):
            token = self._token if kept else self._shelf.read()
            if token and token.value != refused and token.is_fresh(now):
                self._token = token
                return token
        return None
