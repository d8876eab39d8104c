"""Properties of the formula."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.memory.shares import Bound, shares

size = st.integers(min_value=0, max_value=1 << 70)
bound = st.builds(Bound, st.integers(min_value=1, max_value=1 << 60), size)
bounds = st.lists(bound, max_size=4)


@settings(deadline=None)
@given(bounds, bound, size)
def test_never_negative_and_p_is_the_largest(
    groups: list[Bound], host: Bound, weights: int
) -> None:
    full = shares(groups, host, weights)
    assert 0 <= full.p_kill <= full.p
    assert full.p == max(full.p_need, full.p_host)


@settings(deadline=None)
@given(bounds, bound, size, st.integers(0, 3), size)
def test_monotone_in_what_is_used(
    groups: list[Bound], host: Bound, weights: int, index: int, more: int
) -> None:
    before = shares(groups, host, weights)
    fuller = [
        Bound(group.limit_bytes, group.unreclaimable_bytes + more * (number == index))
        for number, group in enumerate(groups)
    ]
    for after in (shares(fuller, host, weights), shares(groups, host, weights + more)):
        assert after.p >= before.p and after.p_kill >= before.p_kill
        assert after.p_need >= before.p_need


@settings(deadline=None)
@given(bounds, bound, bound, size)
def test_one_more_limit_never_makes_it_look_emptier(
    groups: list[Bound], more: Bound, host: Bound, weights: int
) -> None:
    assert shares([*groups, more], host, weights).p_kill >= shares(groups, host, weights).p_kill
    if groups:
        assert shares([*groups, more], host, weights).p >= shares(groups, host, weights).p


@settings(deadline=None)
@given(bound, size)
def test_weights_do_not_bring_the_killer_nearer(host: Bound, weights: int) -> None:
    assert shares([], host, weights).p_kill == shares([], host, 0).p_kill


def test_figures_of_a_small_server() -> None:
    # Measured: heap of 200 MB beside a mapped model of 220 MB under 300 MB.
    full = shares([Bound(300, 200)], Bound(24_000, 700), 220)
    assert (round(full.p_kill, 2), round(full.p_need, 2)) == (0.67, 1.40)
