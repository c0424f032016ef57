"""Rows of the failure tables: what a fault of the simulator must lead to, in every dialect."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from llmctl.store.ledger import Ledger
from llmctl.types import Receipt
from tests.e2e.harness import Llmctl, Result
from tests.simulator import Request, Simulator

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

# A provider for each dialect.
OPENAI, OLLAMA = "openai", "ollama"
BOTH = (OPENAI, OLLAMA)
ROOTS = {OPENAI: "/v1/", OLLAMA: "/api/"}
PROMPT = "Why is it blue?"
QUICK = ("--idle-timeout", "0.4")


@dataclass(frozen=True, slots=True)
class Row:
    """`error` is the code of the error (None for a success), `out` the whole of standard output
    without the newline after it, `said` what must stand on standard error."""

    fault: str
    code: int
    error: str | None
    out: str
    said: tuple[str, ...] = ()
    requests: int = 1
    flags: tuple[str, ...] = ()
    providers: tuple[str, ...] = BOTH


def each(rows: tuple[Row, ...]) -> list["ParameterSet"]:
    """The rows, for the parameter `row`."""
    return [pytest.param(row, id=row.fault) for row in rows]


def ask(llmctl: Llmctl, provider: str, fault: str, *flags: str, **how: str) -> Result:
    """One prompt that meets `fault`; `how` are further variables of the environment."""
    return llmctl.run("-m", f"{provider}/mock-fault-{fault}", *flags, PROMPT, env=how)


def last(llmctl: Llmctl, provider: str | None = None) -> Receipt:
    """What the ledger keeps of the last run, or of the last one at a provider."""
    with Ledger(llmctl.data / "ledger.db") as ledger:
        receipts = (entry.receipt for entry in ledger.each())
        return next(one for one in receipts if provider in (None, one.provider))


def calls(sim: Simulator, provider: str) -> list[Request]:
    """The requests of one provider's runs."""
    return [one for one in sim.calls if one.path.startswith(ROOTS[provider])]


def check(llmctl: Llmctl, sim: Simulator, row: Row) -> dict[str, Result]:
    """Run a row with all its providers at the same time: exit code, standard output, standard
    error, requests, and the ledger's record of each."""
    running = {
        provider: llmctl.start("-m", f"{provider}/mock-fault-{row.fault}", *row.flags, PROMPT)
        for provider in row.providers
    }
    results = {provider: one.end() for provider, one in running.items()}
    for provider, result in results.items():
        _check(llmctl, sim, provider, row, result)
    return results


def _check(llmctl: Llmctl, sim: Simulator, provider: str, row: Row, result: Result) -> None:
    assert result.out == (row.out + "\n" if row.out else ""), (provider, result.err)
    assert result.code == row.code, (provider, result.err)
    assert len(calls(sim, provider)) == row.requests, (provider, result.err)
    for words in row.said:
        assert words in result.err, provider
    assert "Traceback" not in result.err
    kept = last(llmctl, provider)
    assert kept.text == row.out
    assert (kept.error and kept.error.code) == row.error
    if row.code:
        failed = result.err[result.err.rindex("llmctl: ") :]
        assert 1 <= len(failed.splitlines()) <= 4
        assert provider in failed
        assert f"127.0.0.1:{sim.port}" in failed
