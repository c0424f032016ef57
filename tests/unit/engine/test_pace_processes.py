"""One account in several processes: a rate together, a hold for all."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmctl.engine.pace import Pace
from llmctl.store.paces import Shared
from llmctl.store.state import open_state
from tests.unit.engine.pace_shared import now, virtually


@pytest.mark.parametrize(("per_minute", "lanes"), [(120, 4), (3000, 40)])
def test_no_minute_of_two_jobs_has_more_than_the_limit(
    tmp_path: Path, per_minute: int, lanes: int
) -> None:
    moments: list[float] = []

    async def lane(pace: Pace) -> None:
        while True:
            async with pace.turn():
                moments.append(now())
                await asyncio.sleep(0.3)

    async def main() -> None:
        paces = [
            Pace(
                lanes,
                requests_per_minute=per_minute,
                shared=Shared(tmp_path / "state.db", "a", now),
                clock=now,
            )
            for _process in range(2)
        ]
        tasks = [asyncio.create_task(lane(pace)) for pace in paces for _number in range(lanes)]
        await asyncio.sleep(150)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for pace in paces:
            pace.close()

    virtually(main())
    most = max(
        sum(moment <= other < moment + 60 for other in moments[number : number + per_minute + 9])
        for number, moment in enumerate(moments)
    )
    assert moments == sorted(moments)
    assert most <= per_minute
    assert len(moments) > 0.95 * per_minute * 150 / 60


WORKS = """
import asyncio, json, sys, time
from pathlib import Path
from llmctl.engine.pace import Pace
from llmctl.store.paces import Shared
begun = []
async def lane(pace):
    while time.time() < float(sys.argv[2]):
        async with pace.turn():
            begun.append(time.time())
async def main():
    shared = Shared(Path(sys.argv[1]), "a")
    pace = Pace(8, requests_per_minute=120, shared=shared)
    await asyncio.wait([asyncio.create_task(lane(pace)) for _ in range(3)], timeout=3)
asyncio.run(main())
print(json.dumps(begun))
"""


def test_two_real_processes_keep_to_one_limit(tmp_path: Path) -> None:
    open_state(tmp_path / "state.db").close()
    end = time.time() + 2.2
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", WORKS, tmp_path / "state.db", str(end)], stdout=subprocess.PIPE
        )
        for _number in range(2)
    ]
    moments: list[float] = []
    for program in programs:
        said, _nothing = program.communicate(timeout=30)
        moments += json.loads(said)
    moments.sort()

    # Two a second together: each is due half a second after the one before, and goes at most a
    # quarter of a second late.
    for number, moment in enumerate(moments):
        assert moment - moments[0] > number * 0.5 - 0.3
    assert len(moments) >= 2


HOLDS = """
import sys
from pathlib import Path
from llmctl.engine.pace import Pace
from llmctl.store.paces import Shared
Pace(8, shared=Shared(Path(sys.argv[1]), "a")).hold(1.2)
print("held", flush=True)
"""


def test_a_hold_of_another_process_is_kept(tmp_path: Path) -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        pace = Pace(8, shared=Shared(tmp_path / "state.db", "a"))
        async with pace.turn():
            pass
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLDS, tmp_path / "state.db", stdout=subprocess.PIPE
        )
        assert program.stdout is not None
        assert await program.stdout.readline() == b"held\n"
        await asyncio.sleep(0.3)  # it looks every quarter of a second
        begun = loop.time()
        async with pace.turn():
            waited = loop.time() - begun
        await program.wait()
        pace.close()
        return waited

    assert 0.4 < asyncio.run(main()) < 2
