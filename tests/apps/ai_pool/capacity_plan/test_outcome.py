"""Outcomes travel as JSON: a plan is kept and compared later."""

from __future__ import annotations

import json

from apps.ai_pool.capacity_plan.outcome import Outcome
from apps.ai_pool.capacity_plan.simulation import simulate
from apps.ai_pool.capacity_plan.workload import Workload
from tests.apps.ai_pool.capacity_plan.machines import make_figures


def test_there_and_back() -> None:
    outcome = simulate(make_figures(), Workload(num_users=3, num_turns=2), 2)
    written = json.dumps(outcome.to_json())
    assert json.dumps(Outcome.from_json(json.loads(written)).to_json()) == written
