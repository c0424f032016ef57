"""What llmctl calls of Ray, in one process: each block is worked on in turn, by workers that take
turns. What Ray itself does is seen by `python -m tests.on_ray`."""

from types import SimpleNamespace
from typing import Any

from ray import exceptions as exceptions

actors: dict[str, Any] = {}
WORKERS = 2


def is_initialized() -> bool:
    return False


def init(**_how: Any) -> None:
    pass


def shutdown() -> None:
    actors.clear()


def cluster_resources() -> dict[str, float]:
    return {"CPU": float(WORKERS)}


def get_runtime_context() -> Any:
    number = len(actors)
    return SimpleNamespace(get_node_id=lambda: "node", get_actor_id=lambda: f"worker-{number}")


class Called:
    """A method of an actor: `remote` calls it at once, `get` says what came of it."""

    def __init__(self, method: Any) -> None:
        self._method = method

    def remote(self, *given: Any) -> Any:
        try:
            return (self._method(*given), None)
        except Exception as error:
            return (None, error)


class Actor:
    def __init__(self, one: Any) -> None:
        self._one = one

    def __getattr__(self, name: str) -> Called:
        return Called(getattr(self._one, name))


def remote(**_how: Any) -> Any:
    def made(kind: type) -> Any:
        def options(*, name: str, **_more: Any) -> Any:
            def begin(*given: Any) -> Actor:
                actor = actors[name] = Actor(kind(*given))
                return actor

            return SimpleNamespace(remote=begin)

        return SimpleNamespace(options=options)

    return made


def get_actor(name: str, namespace: str) -> Any:
    return actors[name]


def get(found: Any, timeout: float | None = None) -> Any:
    value, error = found
    if error is not None:
        raise exceptions.RayTaskError(error)
    return value


def kill(_actor: Actor) -> None:
    pass
