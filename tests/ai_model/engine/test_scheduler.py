"""The plan of a step: nobody starves, the budget is kept, the order is fair."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ai_model.engine.cost_curve import CostCurve
from ai_model.engine.scheduler import (
    MIN_PREFILL,
    PREFILL_SHARE,
    PrefillShare,
    Reader,
    StepPlan,
    Writer,
    plan_step,
)
from ai_model.engine.step_cost import StepCost, attended_cells

CURVE = CostCurve(((1, 34.0), (4, 65.0), (8, 103.0), (16, 182.0), (32, 340.0), (64, 617.0)))

curves = st.lists(
    st.tuples(st.integers(1, 512), st.floats(0.01, 5000)), min_size=1, max_size=9
).map(
    lambda points: CostCurve(
        tuple(
            zip(
                sorted({size for size, _ in points}),
                sorted(cost for _, cost in points),
                strict=False,
            )
        )
    )
)


@given(
    writer_lengths=st.lists(st.integers(1, 2000), max_size=16),
    waiting_decodes=st.integers(0, 4),
    prompts=st.lists(st.tuples(st.integers(1, 900), st.integers(0, 900)), max_size=8),
    curve=curves,
    cell_ms=st.floats(0, 1),
    target=st.floats(1, 1000),
    chunk=st.integers(1, 512),
)
def test_every_plan_is_sound(
    writer_lengths: list[int],
    waiting_decodes: int,
    prompts: list[tuple[int, int]],
    curve: CostCurve,
    cell_ms: float,
    target: float,
    chunk: int,
) -> None:
    writers = [Writer(number, length) for number, length in enumerate(writer_lengths)]
    readers = [Reader(100 + number, unread, held) for number, (unread, held) in enumerate(prompts)]
    num_held = sum(writer_lengths) + sum(held for _, held in prompts)
    is_answering = bool(writers or waiting_decodes)
    cost = StepCost(curve, cell_ms)
    plan = plan_step(
        writers=writers,
        readers=readers,
        is_answering=is_answering,
        cost=cost,
        held_cells=num_held,
        target_itl_ms=target,
        chunk_tokens=chunk,
    )
    assert plan.decode == tuple(range(len(writers))), "everybody who is due writes"
    assert plan.num_tokens <= chunk + len(writers), "the batch holds it"
    taken = {share.instance: share.num_tokens for share in plan.prefill}
    assert all(0 < taken.get(one.instance, 1) <= one.num_unread for one in readers)
    if readers:
        assert plan.prefill[0].instance == readers[0].instance, "the oldest is read first"
        assert plan.prefill[0].num_tokens >= min(MIN_PREFILL, chunk, readers[0].num_unread)
    complete = [one for one in readers if taken.get(one.instance) == one.num_unread]
    assert complete == readers[: len(complete)], "a younger prompt never overtakes an older one"
    num_read = sum(taken.values())
    if is_answering and num_read > min(MIN_PREFILL, chunk):
        own = sum(attended_cells(length, 1, num_held) for length in writer_lengths)
        allowed_ms = max(target, PREFILL_SHARE * cost.ms(len(writers), own) if writers else 0)
        read = sum(
            attended_cells(one.num_held, taken.get(one.instance, 0), num_held) for one in readers
        )
        assert cost.ms(plan.num_tokens, own + read) <= allowed_ms * 1.0001, "the budget is kept"


def _plan(writers: list[Writer], readers: list[Reader], cell_ms: float = 0.0) -> StepPlan:
    return plan_step(
        writers=writers,
        readers=readers,
        is_answering=bool(writers),
        cost=StepCost(CURVE, cell_ms),
        held_cells=2000,
        target_itl_ms=200,
        chunk_tokens=128,
    )


THREE = [Writer(number, 100) for number in range(3)]


def test_step_is_filled_up_to_an_edge() -> None:
    assert _plan(THREE, [Reader(5, 700, 0)]).num_tokens == 16


def test_long_contexts_make_steps_smaller() -> None:
    assert _plan(THREE, [Reader(5, 700, 900)], cell_ms=0.006).num_tokens == 3 + MIN_PREFILL


def test_whole_chunk_when_nobody_is_answered() -> None:
    assert _plan([], [Reader(5, 700, 0)]).num_tokens == 128


def test_what_is_left_to_read_may_end_before_the_edge() -> None:
    assert _plan(THREE, [Reader(5, 9, 0)]).num_tokens == 12


def test_rest_of_the_step_goes_to_the_next_prompt() -> None:
    plan = _plan([Writer(0, 100)], [Reader(5, 10, 0), Reader(6, 700, 0)])
    assert plan.prefill == (PrefillShare(5, 10), PrefillShare(6, 5))
