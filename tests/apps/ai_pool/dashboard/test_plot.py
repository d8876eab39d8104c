"""A plot: words for those who cannot see it, numbers in a table, nothing that a policy forbids."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ai_model.pool.pool_sample import PoolSample
from apps.ai_pool.dashboard.history import Timeline
from apps.ai_pool.dashboard.mark import Mark
from apps.ai_pool.dashboard.period import find_period
from apps.ai_pool.dashboard.plot import DrawnPlot, Plot, Series, Shape, draw
from apps.ai_pool.dashboard.plots import all_plots
from apps.ai_pool.dashboard.unit import Unit

NOW = datetime(2030, 1, 1, 12, 0, 30, tzinfo=UTC)
QUARTER = find_period("15m")
EMPTY = Timeline(QUARTER, QUARTER.begin(NOW), (None,) * 45)
VALUES = st.lists(st.one_of(st.none(), st.floats()), min_size=45, max_size=45)


def plot(*rows: list[float | None], shape: Shape = Shape.LINE) -> Plot:
    series = tuple(Series(f"row {at}", row, "blue", shape) for at, row in enumerate(rows))
    return Plot("plot-x", "A < B", Unit.COUNT, series, target=2.0)


def check(drawn: DrawnPlot) -> None:
    """Fail for what is no XML, no number, or not allowed by the policy of our pages."""
    for text in (drawn.svg, drawn.table):
        ElementTree.fromstring(text)
        assert "nan" not in text and "inf" not in text and "style=" not in text


@given(VALUES, VALUES, st.sampled_from(Shape))
@settings(max_examples=30)
def test_any_numbers_make_a_plot(
    first: list[float | None], second: list[float | None], shape: Shape
) -> None:
    drawn = draw(plot(first, second, shape=shape), EMPTY)
    if not drawn.is_empty:
        check(drawn)


def test_nothing_to_draw() -> None:
    drawn = draw(plot([None] * 45), EMPTY)
    assert drawn.is_empty and drawn.svg == "" and drawn.table == ""


def test_words_numbers_and_the_newest() -> None:
    drawn = draw(plot([1.0, 7.0, 3.0, *[None] * 42]), EMPTY)
    assert "A &lt; B" in drawn.svg and "row 0: at most 7, last 3." in drawn.svg
    assert drawn.legend[0].value == "3"
    assert drawn.newest == EMPTY.time_of(2)
    assert drawn.table.count("<tr>") == 46
    assert f'<tr><th scope="row">{EMPTY.time_of(1)}</th><td>7</td></tr>' in drawn.table


def test_marks_are_drawn_with_their_words_and_only_inside() -> None:
    inside = Mark("restart", NOW - timedelta(minutes=7), "<b>killed</b>")
    outside = Mark("restart", NOW - timedelta(hours=7), "long ago")
    odd = Mark("unheard of", NOW, "odd")
    drawn = draw(plot([1.0] * 45), EMPTY, [inside, outside, odd])
    check(drawn)
    assert drawn.svg.count('class="plot-mark ') == 2
    assert "&lt;b&gt;killed" in drawn.svg and "long ago" not in drawn.svg


def test_another_unit_is_told_but_not_drawn() -> None:
    one = plot([1.0] * 45)
    share = Series("pressure", [0.5] * 45, "none", unit=Unit.SHARE)
    drawn = draw(replace(one, series=(*one.series, share)), EMPTY)
    assert drawn.legend[1].value == "50 %"
    assert drawn.svg.count("plot-line") == 1


def test_every_plot_of_the_page_is_drawn_from_a_sample() -> None:
    sample = PoolSample(
        num_done=3,
        num_failed=1,
        num_waiting=1.5,
        wait_p50_s=1.0,
        ttft_p50_s=1.0,
        rss_bytes=10**9,
        weights_bytes=8 * 10**8,
        limit_bytes=2 * 10**9,
        num_promises=4,
        num_promises_kept=3,
        promised_s=8.0,
        promised_p90_s=16.0,
        real_wait_s=12.0,
        running_s=30.0,
        decode_tok_s=20.0,
        stall_some=0.25,
        stall_full=0.0,
    )
    made = all_plots(Timeline(QUARTER, QUARTER.begin(NOW), (*[None] * 44, sample)))
    assert len({one.slug for one in made}) == len(made) == 9
    drawn = {one.slug: draw(one, EMPTY) for one in made}
    for one in drawn.values():
        assert not one.is_empty, one.slug
        check(one)
    values = {entry.name: entry.value for entry in drawn["plot-eta"].legend}
    assert values == {"promised p90": "4.0 s", "promised p50": "2.0 s", "real": "3.0 s"}
    assert drawn["plot-coverage"].legend[0].value == "75 %"
    assert [entry.value for entry in drawn["plot-stall"].legend] == ["25 %", "0 %"]
    memory = {entry.name: entry.value for entry in drawn["plot-memory"].legend}
    assert memory["other"] == "200 MB" and memory["limit"] == "2.0 GB"


def test_what_nobody_measured_has_no_line() -> None:
    """No speed where nobody was answered, no plot of waiting where the kernel tells nothing."""
    sample = PoolSample(decode_tok_s=20.0, prefill_tok_s=99.0)
    made = all_plots(Timeline(QUARTER, QUARTER.begin(NOW), (*[None] * 44, sample)))
    assert "plot-stall" not in {one.slug for one in made}
    assert next(one for one in made if one.slug == "plot-speed").is_empty


def test_a_limit_far_above_is_told_in_words() -> None:
    sample = PoolSample(rss_bytes=10**9, limit_bytes=64 * 10**9)
    made = all_plots(Timeline(QUARTER, QUARTER.begin(NOW), (*[None] * 44, sample)))
    memory = next(one for one in made if one.slug == "plot-memory")
    assert "limit" not in {one.name for one in memory.series}
    assert "64 GB" in memory.note


def test_a_pool_that_nobody_has_asked_promises_nothing() -> None:
    made = all_plots(Timeline(QUARTER, QUARTER.begin(NOW), (*[None] * 44, PoolSample())))
    empty = {one.slug for one in made if one.is_empty}
    assert {"plot-wait", "plot-ttft", "plot-eta", "plot-coverage"} <= empty
