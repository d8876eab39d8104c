"""A plan is kept as JSON and measured against the run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from apps.ai_pool.capacity_plan.plan import make_plan
from apps.ai_pool.capacity_plan.workload import Workload
from apps.ai_pool.load_test.comparison import BadPlan, Compared, check_plan, compare, read_plan
from tests.apps.ai_pool.capacity_plan.machines import make_figures


def test_a_plan_is_read_back_and_agrees_with_itself(tmp_path: Path) -> None:
    load = Workload(num_users=4, num_turns=1, think_s=1)
    plan = make_plan(make_figures(), load, (1, 3))
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan.to_json()))
    found = read_plan(path)
    assert sorted(found) == [1, 3]
    compared = compare(found, [plan.outcome])
    assert compared
    assert all(one.is_true for one in compared)
    slower = replace(plan.outcome, tok_s=plan.outcome.tok_s * 0.5)
    wrong = [one.name for one in compare(found, [slower]) if not one.is_true]
    assert wrong == ["tokens per second"]
    check_plan(path, replace(load, seed=7))
    with pytest.raises(BadPlan, match="--users 4, not 5; --think 1, not 2.5"):
        check_plan(path, replace(load, num_users=5, think_s=2.5))
    path.write_text(json.dumps(plan.to_json() | {"workload": None}))
    with pytest.raises(BadPlan, match="does not say"):
        check_plan(path, load)


def test_a_quarter_is_right_and_more_is_wrong() -> None:
    assert Compared(1, "answer, p50", 10.0, 12.5).is_true
    assert not Compared(1, "answer, p50", 10.0, 12.6).is_true
    assert Compared(1, "wait, p50", 0.0, 0.2).is_true
    assert not Compared(1, "wait, p50", 0.0, 0.3).is_true


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"expected": {}, "others": []}', "null"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(BadPlan):
        read_plan(path)
