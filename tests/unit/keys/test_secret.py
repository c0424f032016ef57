"""A secret shows itself nowhere, and is masked in what servers repeat."""

import base64
import copy
import logging
import pickle
import traceback

import pytest

from llmctl.keys import Secret
from tests.unit.keys.shared import KEY


def test_a_secret_never_shows_itself(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(KEY, "somewhere")

    logging.getLogger("test").warning("%s %r", secret, [secret])
    shown = f"{secret} {secret!r} {secret:>10} {[secret]} {(secret,)!s}" + caplog.text
    shown += "%s %r" % (secret, secret)  # noqa: UP031  the old way of formatting is meant

    assert KEY not in shown
    assert secret.reveal() == KEY


def test_a_secret_is_written_nowhere() -> None:
    secret = Secret(KEY, "somewhere")

    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)


def test_a_traceback_does_not_hold_it() -> None:
    secret = Secret(KEY, "somewhere")
    with pytest.raises(ValueError, match=r"\*\*\*") as caught:
        raise ValueError(secret)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_what_a_server_repeats_is_masked() -> None:
    secret = Secret(KEY, "somewhere")
    packed = base64.b64encode(KEY.encode()).decode()

    assert f"key is ***, {'*' * 3}" == secret.mask(f"key is {KEY}, {KEY}")
    assert secret.mask(f"Basic {packed}!") == "Basic ***!"
    assert secret.mask("nothing here") == "nothing here"


def test_a_long_piece_is_masked_and_a_tell_tale_end_is_left() -> None:
    secret = Secret(KEY, "somewhere")

    assert secret.mask(f"given: {KEY[:20]}…") == "given: ***…"
    assert secret.mask(f"given: sk-****{KEY[-4:]}") == f"given: sk-****{KEY[-4:]}"
