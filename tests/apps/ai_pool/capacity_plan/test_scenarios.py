"""The table of scenarios."""

from __future__ import annotations

from itertools import pairwise

import pytest

from apps.ai_pool.capacity_plan.prices import read_prices
from apps.ai_pool.capacity_plan.scenarios import ScenarioRow, scenario_rows
from apps.ai_pool.capacity_plan.wording import SCENARIO_HEADINGS, scenario_cells
from apps.ai_pool.capacity_plan.workload import Workload
from tests.apps.ai_pool.capacity_plan.machines import make_figures

QUICK = make_figures(points=((1, 10.0), (128, 200.0)))


@pytest.fixture(scope="module")
def rows() -> list[ScenarioRow]:
    return list(scenario_rows(QUICK, Workload(num_users=1, num_turns=1), read_prices()))


def test_more_visitors_never_get_a_smaller_server(rows: list[ScenarioRow]) -> None:
    one_server = [row for row in rows if row.scenario.num_servers == 1]
    assert [row.scenario.num_users for row in one_server] == [1, 10, 30, 100, 150]
    costs = [row.servers()["AWS"][1] for row in one_server]
    assert all(low <= high for low, high in pairwise(costs))
    assert rows[0].plan.is_good


def test_two_servers_cost_twice_and_share_the_visitors(rows: list[ScenarioRow]) -> None:
    two = rows[-1]
    assert two.plan.workload.num_users == 75
    name, cost = two.servers()["Azure"]
    assert name.startswith("2 x ")
    assert cost == 2 * two.size.servers["Azure"].monthly


def test_every_cell_has_a_heading(rows: list[ScenarioRow]) -> None:
    for cells in scenario_cells(rows):
        assert len(cells) == len(SCENARIO_HEADINGS)
    assert rows[0].to_json()["users"] == "1"
