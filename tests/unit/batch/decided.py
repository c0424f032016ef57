"""Rows of a job whose tries end as a test says."""

from typing import Any

from llmctl.batch.deciding import Deciding, Next
from llmctl.batch.trying import Tried
from llmctl.batch.work import Made, Work
from llmctl.engine.give_up import GiveUp
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, ProviderFailed, RateLimited
from llmctl.rows import Row
from llmctl.types import Chat, Role, message
from tests.unit.batch.lanes import LOADED, MAIN, receipt, route

OTHER, THIRD, HERE = route("b/n"), route("c/o"), route("local/tiny", "embedded")
CALL = Chat(model="m", messages=(message(Role.USER, "Hello"),))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Job:
    """One job; what is given up is given up for every account at once."""

    def __init__(self, default: str | None = "a/m", **more: Any) -> None:
        self.clock = Clock()
        self.patience = GiveUp(300, self.clock)
        self.deciding = Deciding(LOADED, give_up=lambda _route: self.patience, default=default,
                                 **more)  # fmt: skip

    def work(self, line: int = 1, to: Route = MAIN, *, named: bool = False) -> Work:
        work = Work(Row(line, {"prompt": "Hello"}))
        work.made = Made(route=to, call=CALL, named=named)
        return work

    def on(self, work: Work, error: LlmctlError | None) -> Next | float:
        assert work.made is not None
        return self.deciding.on(work, Tried(receipt(work.made.route, error=error), error))

    def times(self, work: Work, count: int, error: LlmctlError) -> Next | float:
        found: Next | float = Next.END
        for _try in range(count):
            found = self.on(work, error)
        return found


def busy(**more: Any) -> LlmctlError:
    return ProviderFailed("busy", status=503, **more)


def limited(**more: Any) -> LlmctlError:
    return RateLimited("slow down", status=429, **more)


def asked(work: Work) -> str:
    assert work.made is not None
    assert work.made.call.model == work.made.route.model
    return work.made.route.requested
