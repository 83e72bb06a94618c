"""The stream: what is recorded, when it runs, that it stays bounded, and that nothing upsets it."""

from __future__ import annotations

import dis
import functools
import gc
import resource
import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import numpy as np
import pytest

import fad
import fad.numpy as fnp
from fad.core import kernels, stream, trie
from fad.core.tensor import lift
from fad.primitives.arithmetic import add, div, mul, neg, sub
from fad.staging.capture import StageLevel


def rosenbrock(x: Any, y: Any) -> Any:
    """A small scalar program."""
    return add(mul(sub(1.0, x), sub(1.0, x)), mul(100.0, mul(sub(y, mul(x, x)), sub(y, mul(x, x)))))


def test_nothing_runs_before_a_value_is_read() -> None:
    x = lift(np.arange(3.0))
    y = mul(add(x, x), x)
    assert y.buffer is None
    np.testing.assert_array_equal(np.asarray(y), 2 * np.arange(3.0) ** 2)
    assert y.buffer is not None


def test_new_scalars_and_new_arrays_never_recompile() -> None:
    def step(x: Any, rate: float) -> Any:
        return sub(x, mul(rate, x))

    for _ in range(3):
        np.asarray(step(lift(np.ones(7)), 0.5))
    before = kernels.compilations()
    for i in range(20):
        x = np.random.default_rng(i).normal(size=7)
        np.testing.assert_allclose(np.asarray(step(lift(x), 1.0 / (i + 3))), x - x / (i + 3))
    assert kernels.compilations() == before


@pytest.mark.parametrize("value", [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-300])
def test_scalars_keep_their_exact_value(value: float) -> None:
    x = lift(np.ones(2))
    for _ in range(3):
        out = np.asarray(mul(x, value))
        np.testing.assert_array_equal(out, np.full(2, value))
        np.testing.assert_array_equal(np.signbit(out), np.signbit(np.full(2, value)))


def test_an_array_changed_after_it_was_used_does_not_change_the_result() -> None:
    x = np.ones(4)
    y = add(lift(np.zeros(4)), x)
    x[:] = 7.0
    np.testing.assert_array_equal(np.asarray(y), np.ones(4))


def test_a_million_unread_operations_neither_recurse_nor_exhaust_memory() -> None:
    x = lift(np.ones(2))
    y = x
    for _ in range(3000):
        y = add(y, x)
    np.asarray(y)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    y = x
    for _ in range(1_000_000):
        y = add(y, x)
    np.testing.assert_array_equal(np.asarray(y), np.full(2, 1_000_001.0))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300_000  # KiB


def test_programs_that_never_repeat_do_not_grow_the_trie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trie, "MAX_NODES", 500)
    rng = np.random.default_rng(0)
    functions = [add, mul, sub]
    with fad.config(compile="never"):
        for _ in range(300):
            x = y = lift(np.ones(2))
            for choice in rng.integers(0, 3, size=12):
                y = functions[choice](y, x)
            np.asarray(y)
            assert trie.trie.nodes < 500 + 2 * 12 + 10


def test_forgetting_the_trie_does_not_recompile(monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> Any:
        x = lift(np.ones(5))
        return np.asarray(div(add(x, 2.0), mul(x, 3.0)))

    program()
    before = kernels.compilations()
    monkeypatch.setattr(trie, "MAX_NODES", 0)
    for _ in range(3):
        program()
    assert kernels.compilations() == before


def test_many_bytes_of_leaves_are_not_kept_waiting() -> None:
    with fad.config(max_pending_bytes=1 << 20):
        y = lift(np.zeros(1 << 15))
        for _ in range(100):
            y = add(y, np.ones(1 << 15))  # 256 KiB each
            assert len(stream.local.segment.places) < 10
        np.testing.assert_array_equal(np.asarray(y), np.full(1 << 15, 100.0))


def test_immediate_deferred_kernelwise_and_compiled_agree_bitwise_enough() -> None:
    x, y = 1.3, -0.4
    expected = None
    for settings in (
        {"compile": "always"},
        {"compile": "never"},
        {"max_pending": 1},
        {"replay": False},
        {},
    ):
        with fad.config(**settings):
            value, gradient = fad.value_and_grad(rosenbrock, argnums=(0, 1))(x, y)
            got = [float(value), *map(float, gradient)]
        expected = expected or got
        np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_the_same_call_gives_the_same_bits_whatever_ran_before() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=5)
    gradient = fad.grad(lambda x: fad.numpy.sum(mul(div(x, add(mul(x, x), 1.3)), x)))
    first = np.asarray(gradient(x))
    pending = []
    for i in range(5):
        y = lift(x)
        for _ in range(i):
            y = add(y, x)
        pending.append(y)  # other work is pending when the gradient is asked for
        again = np.asarray(gradient(x))
        assert first.tobytes() == again.tobytes()


def test_value_dependent_control_flow_is_replayed_correctly() -> None:
    def newton(a: Any) -> Any:
        x = a
        while float(fad.numpy.abs(sub(mul(x, x), a))) > 1e-12:
            x = mul(0.5, add(x, div(a, x)))
        return x

    gradient = fad.grad(newton)
    for a in (2.0, 3.0, 2.0, 100.0, 3.0, 5.0, 2.0):
        np.testing.assert_allclose(float(gradient(a)), 0.5 / np.sqrt(a), rtol=1e-9)


def test_replay_takes_this_calls_scalars_and_arrays() -> None:
    for scale, shift in [(2.0, 1.0), (3.0, 5.0), (-1.0, 0.25)]:
        w = np.array([scale, shift])
        gradient = fad.grad(lambda x, s=scale, w=w: fad.numpy.sum(mul(mul(mul(x, s), w), x)))
        np.testing.assert_allclose(np.asarray(gradient(np.ones(2))), 2 * scale * w)


def test_a_float_of_an_earlier_segment_comes_back_once(monkeypatch: Any) -> None:
    entered = []
    child = trie.trie.child

    def spy(parent: Any, key: Any, *rest: Any) -> Any:
        if type(key) is tuple and key[0] is trie.EARLIER:
            entered.append(key)
        return child(parent, key, *rest)

    monkeypatch.setattr(type(trie.trie), "child", lambda self, *args: spy(*args))

    def f(x: Any) -> Any:
        y = x**2.75  # whose rule reads the exponent twice
        return y if float(y) > 0 else -y

    for x in (2.0, 3.0, 1.5):
        np.testing.assert_allclose(float(fad.grad(f)(x)), 2.75 * x**1.75, rtol=1e-14)
    assert entered
    assert len(entered) == len(set(entered))


def test_replay_tells_aliased_arguments_from_equal_ones() -> None:
    f = fad.grad(lambda x, y: mul(mul(x, x), y), argnums=(0, 1))
    a, b = lift(np.asarray(3.0)), lift(np.asarray(3.0))
    for x, y in [(a, b), (a, a), (b, a), (a, a)]:
        gx, gy = f(x, y)
        assert (float(gx), float(gy)) == (18.0, 9.0)
    captured = fad.grad(lambda x: mul(x, a))
    assert float(captured(a)) == 3.0
    assert float(captured(b)) == 3.0


def test_eight_threads_each_get_their_own_gradients() -> None:
    failures: list[str] = []
    gradient = fad.grad(rosenbrock, argnums=(0, 1))

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(60):
            x, y = rng.normal(size=2)
            gx, gy = gradient(x, y)
            expected = (-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x))
            if not np.allclose([float(gx), float(gy)], expected, rtol=1e-12):
                failures.append(f"{seed}: {float(gx)}, {float(gy)} instead of {expected}")

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


def test_a_tensor_pending_in_another_thread_simply_works() -> None:
    made: list[Any] = []
    ready, done = threading.Event(), threading.Event()

    def maker() -> None:
        made.append(mul(add(lift(np.arange(3.0)), 1.0), 2.0))
        ready.set()
        done.wait(10)
        made.append(np.asarray(made[0]))

    thread = threading.Thread(target=maker)
    thread.start()
    assert ready.wait(10)
    np.testing.assert_array_equal(np.asarray(neg(made[0])), [-2.0, -4.0, -6.0])
    done.set()
    thread.join()
    np.testing.assert_array_equal(made[1], [2.0, 4.0, 6.0])


def test_a_gradient_of_a_deep_chain_needs_neither_recursion_nor_the_collector() -> None:
    def chain(x: Any) -> Any:
        for _ in range(30_000):
            x = mul(x, 0.9999)
        return x

    gc.disable()
    try:
        value = float(fad.grad(chain)(1.0))
    finally:
        gc.enable()
    np.testing.assert_allclose(value, 0.9999**30_000, rtol=1e-9)


def test_a_tape_dies_by_reference_count_alone() -> None:
    import weakref

    gc.collect()
    gc.disable()
    try:
        _, pullback = fad.vjp(lambda x: mul(mul(x, x), x), 2.0)
        node = weakref.ref(pullback.recording.inputs[0].node)
        assert float(pullback(1.0)[0]) == 12.0
        assert node() is not None
        del pullback
        assert node() is None
    finally:
        gc.enable()


def test_memory_returns_to_where_it_was() -> None:
    gradient = fad.grad(rosenbrock, argnums=(0, 1))
    for _ in range(50):
        gradient(1.0, 2.0)
    gc.collect()
    before = len(gc.get_objects())
    for i in range(1000):
        gradient(1.0 + i, 2.0)
    gc.collect()
    assert len(gc.get_objects()) - before < 200


def test_an_error_inside_a_transform_leaves_the_stream_usable() -> None:
    def broken(x: Any) -> Any:
        mul(x, x)
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            fad.grad(broken)(1.0)
        assert float(fad.grad(lambda x: mul(x, x))(3.0)) == 6.0
    assert stream.local.depth == 0


def test_a_scalar_that_overflows_leaves_the_stream_as_it_was() -> None:
    x, small = lift(np.array([1.0, 2.0])), lift(np.arange(4, dtype=np.uint8))
    for _ in range(2):
        y = mul(x, 3.0)
        with pytest.raises(OverflowError):
            fnp.where(small > 1, 3, 2**70)  # the first scalar fits
        z = add(mul(x, 5.0), y)
        np.testing.assert_array_equal(np.asarray(z), [8.0, 16.0])


class Interrupt(BaseException):
    """Stands for KeyboardInterrupt, or what the handler of an alarm raises."""


@functools.cache
def checkpoints(code: CodeType) -> frozenset[int]:
    """Where Python handles signals: at the beginning of a function, in loops and after calls."""
    found = set()
    before = ""
    for instruction in dis.get_instructions(code):
        if before == "RESUME" or before.startswith("CALL") or "BACKWARD" in instruction.opname:
            found.add(instruction.offset)
        before = instruction.opname
    return frozenset(found)


def interrupted(work: Callable[[], Any], number: int) -> bool:
    """Run ``work`` and interrupt it at the checkpoint of this number in fad; False if it ended."""
    package = fad.__path__[0]
    left = number

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if event == "call":
            if not frame.f_code.co_filename.startswith(package):
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif event == "opcode" and frame.f_lasti in checkpoints(frame.f_code):
            left -= 1
            if left == -1:
                raise Interrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except Interrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("kind", ["eager", "gradient", "twice"])
def test_an_exception_at_any_call_leaves_the_stream_usable(kind: str) -> None:
    a = np.array([1.0, -2.0, 3.0])
    held = []

    def eager() -> Any:
        x = lift(a)
        held.append(add(x * 3.0, x))
        y = fnp.where(held[-1] > 0, held[-1], 2.0)
        quotient, rest = np.divmod(y, 2.5)
        return float(np.sum(neg(rest) * x + quotient))

    def f(x: Any) -> Any:
        y = np.sin(x) * x
        if y > 0.0:
            y = y * 2.5
        return fnp.where(y > 1.0, y, 2.0 * y) * x

    gradient, second = fad.grad(f), fad.hessian(f)
    works = {
        "eager": eager,
        "gradient": lambda: float(gradient(0.7)),
        "twice": lambda: float(second(0.7)),
    }
    expected = {name: work() for name, work in works.items()}
    work = works[kind]
    work()
    number = 0
    while interrupted(work, number):
        number += 1
        assert stream.local.depth == 0, number
        for name in ("eager", kind):
            assert works[name]() == pytest.approx(expected[name], rel=1e-14), (name, number)
        held.clear()
    assert number > 50


def test_a_capture_interrupted_as_it_ends_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(level: StageLevel, *exc_info: object) -> None:
        raise Interrupt

    with monkeypatch.context() as patched:
        patched.setattr(StageLevel, "__exit__", interrupt)
        with pytest.raises(Interrupt):
            fad.jit(lambda x: x * 2.0)(1.0)
    np.testing.assert_array_equal(np.asarray(fnp.ones(3)), np.ones(3))

    def catching(x: Any) -> Any:
        with pytest.raises(ZeroDivisionError):
            fad.grad(lambda y: y / (1 // 0))(1.0)
        return x + fnp.ones(3)

    assert fad.eval_shape(catching, 1.0).shape == (3,)


class _Computing:
    """Dies by the garbage collector alone, and then computes with fad."""

    def __init__(self, tensor: Any, results: list[Any]) -> None:
        self.itself, self.tensor, self.results = self, tensor, results

    def __del__(self) -> None:
        pending = np.sin(self.tensor) * 2.0
        self.results.append(float(fad.grad(np.cos)(0.5)))  # flushes
        self.results.append(pending)


@pytest.mark.parametrize("every", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("transform", ["none", "grad", "jvp"])
def test_finalizers_compute_while_the_garbage_collector_interrupts(
    transform: str, every: int
) -> None:
    def f(x: Any) -> Any:
        for _ in range(20):
            _Computing(constant, results)
            x = np.sin(x) * 1.5 + x * x * 0.01 + np.split(np.ones(4) * x, 2)[0].sum() * 0.1
        return x

    def compute() -> float:
        if transform == "none":
            return float(f(fad.asarray(0.3)))
        if transform == "grad":
            return float(fad.grad(f)(0.3))
        return float(fad.jvp(f, (0.3,), (1.0,))[1])

    results: list[Any] = []
    constant = fad.asarray(0.5)
    thresholds = gc.get_threshold()
    gc.disable()
    try:
        expected = compute()
        gc.collect()  # finalizers of what is not to be seen below
        results.clear()
        gc.enable()
        gc.set_threshold(every, 1, 1)
        for _ in range(5):
            assert compute() == pytest.approx(expected, rel=1e-12)
    finally:
        gc.set_threshold(*thresholds)
        gc.enable()
    assert len(results) > 20
    for i, result in enumerate(results):
        assert float(result) == pytest.approx((-1.0 if i % 2 == 0 else 2.0) * np.sin(0.5))
