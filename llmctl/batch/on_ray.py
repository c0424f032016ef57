"""Blocks of a job on the machines of a Ray cluster, by Ray Data.

Ray hands out places of blocks, starts workers again that die, and hands out once more what those
had. It carries neither rows nor answers nor keys: a worker reads the rows of its block itself,
asks with the keys of its own machine, and writes beside the other blocks. What goes through Ray
is what a job was asked for, where its blocks are, sums, and questions to the limiter.
"""

import logging
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmctl.batch.limiter import Ask, Limiter, Seat
from llmctl.errors import NotFound
from llmctl.messages import _
from llmctl.rows.blocks import Block

NAMESPACE = "llmctl"
# Of a processor, as Ray counts them before it places a worker. With whole ones a cluster that has
# fewer of them than there are workers would wait for ever and say nothing.
SHARE_OF_CPU = 0.25
PLACE = ("number", "line", "count", "start")
# Seconds for one question to the limiter; it takes a millisecond unless its machine is gone.
ANSWER_S = 60.0

# Works on a block: what was asked for, the block, who says how fast and for how much, and which
# worker this is. It is found by its name on each machine, and must not raise.
Perform = Callable[[Any, Block, Ask, Seat], Any]


def check_installed() -> Any:
    """Ray; raises NotFound without the extra `ray`."""
    # Nothing is told to the makers of Ray, unless who runs it wants that.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        raise NotFound(
            _("this installation cannot work on Ray"),
            hint=_("add it, on every machine: {command}", command="pip install 'llmctl-cli[ray]'"),
            reason="extra",
        ) from None
    return ray


class Cluster:
    """A connection to the cluster that RAY_ADDRESS names, else to one on this machine alone which
    is begun for it. Raises NotFound without the extra `ray`."""

    def __init__(self) -> None:
        ray = check_installed()
        self._ray: Any = ray
        self._begun = not ray.is_initialized()
        # Ray takes SIGTERM for itself, and would leave by it with an exit code of its own.
        handler = signal.getsignal(signal.SIGTERM)
        if self._begun:
            ray.init(namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR)
            signal.signal(signal.SIGTERM, handler)
        # Each block that fails is told by us, in one line.
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_error: object) -> None:
        if self._begun:
            self._ray.shutdown()

    @property
    def processors(self) -> int:
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def run(
        self,
        perform: Perform,
        task: Any,
        blocks: Sequence[Block],
        *,
        workers: int,
        state: Path,
    ) -> Iterator[tuple[int, Any]]:
        """The number of each block with what `perform` said of it, as they end. A block whose
        worker is lost is handed out again, for ever: `perform` has to see that it has an end. One
        that Ray itself cannot do is missing. `state` is the state file, of this machine, that the
        limiter keeps to."""
        if not blocks:
            return
        name = f"limiter-{os.urandom(8).hex()}"
        limiter = self._limiter(name, state, workers)
        try:
            yield from self._through(perform, task, blocks, name, workers)
            self._ray.get(limiter.close.remote(), timeout=ANSWER_S)
        finally:
            self._ray.kill(limiter)

    def _limiter(self, name: str, state: Path, workers: int) -> Any:
        """The one of this run. It is on this machine, as the state file is; should it die, the
        workers end, and the run with them."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = self._ray.get_runtime_context().get_node_id()
        placed = NodeAffinitySchedulingStrategy(node_id=here, soft=False)
        actor = self._ray.remote(num_cpus=0, max_restarts=0)(Limiter)
        limiter = actor.options(name=name, namespace=NAMESPACE, scheduling_strategy=placed).remote(
            state, workers
        )
        self._ray.get(limiter.stopped.remote())  # it is there
        return limiter

    def _through(
        self,
        perform: Perform,
        task: Any,
        blocks: Sequence[Block],
        name: str,
        workers: int,
    ) -> Iterator[tuple[int, Any]]:
        data = self._ray.data
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = -1  # the others go on
        places = data.from_items(
            [{name: getattr(one, name) for name in PLACE} for one in blocks],
            override_num_blocks=len(blocks),
        )
        worked = places.map_batches(
            Worker,
            fn_constructor_args=(perform, task, name),
            batch_size=1,
            # Not `concurrency`, which is given up by Ray. One block at a time, and none in stock:
            # a worker's last block would wait there while others have nothing to do.
            compute=data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
            num_cpus=SHARE_OF_CPU,
        )
        for row in worked.iter_rows():
            yield int(row["number"]), pickle.loads(row["said"])  # noqa: S301  of our own workers


class Worker:
    """What Ray starts on the machines, and calls with one block after the other."""

    def __init__(self, perform: Perform, task: Any, limiter: str) -> None:
        import ray

        self._ray: Any = ray
        self._perform = perform
        self._task = task
        self._limiter = ray.get_actor(limiter, namespace=NAMESPACE)
        # The same when it is started again: so it is known that it was lost.
        worker = str(ray.get_runtime_context().get_actor_id())
        self._seat = Seat(worker, int(self._ask("join", worker)))

    def __call__(self, batch: Mapping[str, Any]) -> Mapping[str, Any]:
        block = Block(**{name: int(batch[name][0]) for name in PLACE})
        said = self._perform(self._task, block, self._ask, self._seat)
        return {"number": [block.number], "said": [pickle.dumps(said)]}

    def _ask(self, name: str, *given: Any) -> Any:
        """Raises what the limiter raises; and, where it is gone, Ray's error, on which nobody goes
        on: without it nobody knows how fast and for how much may be asked."""
        answer = getattr(self._limiter, name).remote(*given)
        try:
            return self._ray.get(answer, timeout=ANSWER_S)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
