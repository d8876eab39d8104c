"""Choosing instances: as few as serve well, as memory allows, and an honest no."""

from __future__ import annotations

from dataclasses import replace

from apps.ai_pool.capacity_plan.plan import GOOD_WAIT_S, first_good, is_good, make_plan, share_of
from apps.ai_pool.capacity_plan.workload import Workload
from backend.env import SETTINGS
from tests.apps.ai_pool.capacity_plan.machines import GB, make_figures

FEW = Workload(num_users=2, num_turns=3, answer_tokens=40)
MANY = Workload(num_users=60, num_turns=1, answer_tokens=200)


def test_a_few_visitors_need_few_instances() -> None:
    plan = make_plan(make_figures(), FEW)
    assert plan.is_good
    assert plan.num_instances <= 3
    assert plan.outcome.wait.p95 <= GOOD_WAIT_S
    assert plan.verdict == "This machine suffices."


def test_fewer_instances_would_not_have_been_good() -> None:
    plan = make_plan(make_figures(), replace(FEW, num_users=8, think_s=10))
    fewer = [one for one in plan.others if one.num_instances < plan.num_instances]
    assert fewer
    assert not any(map(is_good, fewer))


def test_too_many_visitors_get_an_honest_no() -> None:
    plan = make_plan(make_figures(), MANY)
    assert not plan.is_good
    assert "processors are the limit" in plan.verdict
    assert first_good(make_figures(), MANY) is None


def test_too_little_memory_is_said_with_the_numbers() -> None:
    plan = make_plan(make_figures(memory_bytes=GB), FEW)
    assert not plan.fits
    assert "Memory does not suffice" in plan.verdict
    assert "1,024" in plan.verdict


def test_memory_bounds_the_instances() -> None:
    figures = make_figures(parked_bytes=0, memory_bytes=2 * GB)
    sizes = {one.num_instances for one in make_plan(figures, FEW).others}
    assert 16 not in sizes


def test_it_proposes_settings_that_exist() -> None:
    plan = make_plan(make_figures(), FEW)
    known = {setting.name: setting for setting in SETTINGS}
    values = dict(line.split("=") for line in plan.settings)
    for name, value in values.items():
        known[name].read({name: value})
    assert values["CORRAL_MAX_INSTANCES"] == str(plan.num_instances)
    assert int(values["CORRAL_HOT_INSTANCES"]) <= plan.num_instances


def test_servers_share_their_visitors() -> None:
    assert share_of(replace(FEW, num_users=151), 2).num_users == 76
