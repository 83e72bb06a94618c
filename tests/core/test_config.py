"""Settings: what they may be, and that no setting keeps a program from ending."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import fad
from fad.core import stream


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"max_pending": 0}, "max_pending must be 1 (immediate execution) or more, got 0"),
        ({"max_pending": 1.5}, "max_pending must be of type int, got 1.5"),
        ({"max_pending_bytes": None}, "max_pending_bytes must be of type int, got None"),
        ({"replay": 3}, "replay must be of type bool, got 3"),
        ({"strong_zero": "no"}, "strong_zero must be of type bool, got 'no'"),
        ({"compile": ["always"]}, "compile must be 'auto', 'always' or 'never'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_once(changes: Any, error: str) -> None:
    with pytest.raises(fad.FadError) as caught, fad.config(**changes):
        pass
    assert str(caught.value).splitlines()[0] == error


@pytest.mark.parametrize("most", [0, 100])
def test_an_operand_above_the_bound_of_pending_bytes_is_computed_with(most: int) -> None:
    def compute() -> tuple[float, float]:
        with fad.config(max_pending_bytes=most):
            x, y = fad.asarray(np.full(1000, 0.5)), fad.asarray(np.ones(2000)[::2])
            value = float(np.sum(x * y + x))
            return value, float(fad.grad(lambda x: np.sum(x * x * y))(x)[0])

    pool = ThreadPoolExecutor(1)
    assert pool.submit(compute).result(60) == (1000.0, 1.0)
    pool.shutdown()


def test_a_program_that_fails_where_a_block_begins_leaves_the_settings_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError

    pending = fad.asarray(np.ones(3)) * 2.0
    with monkeypatch.context() as patched:
        patched.setattr(stream, "execute", fail)
        with pytest.raises(MemoryError), fad.config(compile="never", strong_zero=True):
            pass
    assert (fad.config.compile, fad.config.strong_zero) == ("auto", False)
    with pytest.raises(RuntimeError, match="the program that computes this tensor failed"):
        float(pending[0])
    assert float(fad.grad(lambda x: x * x)(3.0)) == 6.0
