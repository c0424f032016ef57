import pytest

from llmctl.output.progress import Bar, bar, size_text
from tests.unit.output.shared import ON_TERMINAL, PIPED


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (98_362_432, "98.4 MB"),
        (999_960, "1.0 MB"),
        (4_700_000_000, "4.7 GB"),
        (3_000_000_000_000_000, "3000.0 TB"),
    ],
)
def test_sizes_in_decimal_units(count: int, text: str) -> None:
    assert size_text(count) == text


def test_a_pipe_gets_a_line_at_each_end(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("tiny\x1b model", 2_000_000, terminal=PIPED) as update:
        update(1_000_000)
        update(2_000_000)

    out, err = capsys.readouterr()
    assert out == ""
    assert err == "tiny␛ model (2.0 MB)\ntiny␛ model: 2.0 MB in 0.0 s\n"


def test_a_transfer_that_breaks_has_no_line_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="full"), bar("tiny", 10, terminal=PIPED):
        raise OSError("full")

    assert capsys.readouterr().err == "tiny (10 B)\n"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("tiny", 10, terminal=ON_TERMINAL, quiet=True) as update:
        update(10)

    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_one_line_redrawn(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("tiny", 10_000, terminal=ON_TERMINAL) as update:
        for done in range(0, 10_001, 10):
            update(done)

    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("\r\x1b[Ktiny ")
    assert err.endswith("\r\x1b[Ktiny: 10.0 kB in 0.0 s\n")
    assert err.count("\r") < 10


def test_an_error_begins_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(done: int) -> None:
        with bar("tiny", 10, terminal=ON_TERMINAL) as update:
            update(done)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(5)

    assert capsys.readouterr().err.endswith("\n")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def drawn(width: int, total: int | None = 100_000_000, *, colour: bool = False) -> Bar:
    """A transfer resumed at 20 MB that has reached 50 MB after ten seconds."""
    clock = Clock()
    transfer = Bar("tiny", total, width=width, colour=colour, clock=clock)
    transfer.reach(20_000_000)
    clock.now = 10.0
    transfer.reach(50_000_000)
    return transfer


def test_share_size_speed_and_time_left() -> None:
    assert drawn(100).line() == (
        "tiny " + "━" * 12 + " " * 12 + "  50%  50.0 MB / 100.0 MB  3.0 MB/s  0:17"
    )


@pytest.mark.parametrize("width", range(5, 120))
def test_a_line_fits_its_terminal(width: int) -> None:
    assert len(drawn(width).line()) < width


def test_without_a_total_only_the_size() -> None:
    assert drawn(80, None).line() == "tiny 50.0 MB"
