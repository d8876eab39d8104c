"""The plan of a step: nobody starves, the budget is kept, the order is fair."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ai_model.engine.cost_curve import CostCurve
from ai_model.engine.scheduler import MIN_PREFILL, PREFILL_SHARE, PrefillShare, StepPlan, plan_step

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
    decoding=st.integers(0, 16),
    waiting_decodes=st.integers(0, 4),
    lengths=st.lists(st.integers(1, 900), max_size=8),
    curve=curves,
    target=st.floats(1, 1000),
    chunk=st.integers(1, 512),
)
def test_every_plan_is_sound(
    decoding: int,
    waiting_decodes: int,
    lengths: list[int],
    curve: CostCurve,
    target: float,
    chunk: int,
) -> None:
    work = [PrefillShare(100 + number, length) for number, length in enumerate(lengths)]
    is_answering = bool(decoding or waiting_decodes)
    plan = plan_step(
        decoding=range(decoding),
        prefilling=work,
        is_answering=is_answering,
        curve=curve,
        target_itl_ms=target,
        chunk_tokens=chunk,
    )
    assert plan.decode == tuple(range(decoding)), "everybody who is due writes"
    assert plan.num_tokens <= chunk + decoding, "the batch holds it"
    taken = {share.instance: share.num_tokens for share in plan.prefill}
    assert all(0 < taken.get(one.instance, 1) <= one.num_tokens for one in work)
    if work:
        assert plan.prefill[0].instance == work[0].instance, "the oldest is read first"
        assert plan.prefill[0].num_tokens >= min(MIN_PREFILL, chunk, work[0].num_tokens)
    complete = [one for one in work if taken.get(one.instance) == one.num_tokens]
    assert complete == work[: len(complete)], "a younger prompt never overtakes an older one"
    if is_answering and plan.num_tokens > decoding + MIN_PREFILL:
        own_ms = curve.cost_ms(decoding) if decoding else 0.0
        allowed_ms = max(target, PREFILL_SHARE * own_ms)
        assert curve.cost_ms(plan.num_tokens) <= allowed_ms * 1.0001, "the budget is kept"


def _plan(decoding: list[int], prefilling: list[PrefillShare]) -> StepPlan:
    return plan_step(
        decoding=decoding,
        prefilling=prefilling,
        is_answering=bool(decoding),
        curve=CURVE,
        target_itl_ms=200,
        chunk_tokens=128,
    )


def test_step_is_filled_up_to_an_edge() -> None:
    plan = _plan([0, 1, 2], [PrefillShare(5, 700)])
    assert plan.num_tokens == 16


def test_whole_chunk_when_nobody_is_answered() -> None:
    assert _plan([], [PrefillShare(5, 700)]).num_tokens == 128


def test_rest_of_the_step_goes_to_the_next_prompt() -> None:
    plan = _plan([0], [PrefillShare(5, 10), PrefillShare(6, 700)])
    assert plan.prefill == (PrefillShare(5, 10), PrefillShare(6, 5))
