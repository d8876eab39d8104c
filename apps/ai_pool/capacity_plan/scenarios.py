"""The table of scenarios: visitors, instances, memory, disk, and the server to rent for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from apps.ai_pool.capacity_plan.figures import Figures
from apps.ai_pool.capacity_plan.memory_need import GB, copies_bytes
from apps.ai_pool.capacity_plan.plan import Plan, first_good, make_plan, share_of
from apps.ai_pool.capacity_plan.prices import PriceList, Size
from apps.ai_pool.capacity_plan.workload import Workload


@dataclass(frozen=True, slots=True)
class Scenario:
    """So many visitors at the same time; planned for the most of them."""

    label: str
    num_users: int
    num_servers: int = 1


SCENARIOS = (
    Scenario("1", 1),
    Scenario("5-10", 10),
    Scenario("20-30", 30),
    Scenario("50-100", 100),
    Scenario("100+", 150),
    Scenario("100+, two servers", 150, 2),
)


@dataclass(frozen=True, slots=True)
class ScenarioRow:
    """A scenario on the smallest server that serves it well, or on the largest there is."""

    scenario: Scenario
    size: Size
    plan: Plan

    @property
    def copies_gb(self) -> tuple[float, float]:
        """The customary estimate for as many instances, in GB, of all servers."""
        low, high = copies_bytes(self.plan.num_instances)
        num = self.scenario.num_servers
        return num * low / GB, num * high / GB

    def servers(self) -> dict[str, tuple[str, int]]:
        """Return for each provider the server and what all of them cost in a month."""
        num = self.scenario.num_servers
        names = {provider: server.name for provider, server in self.size.servers.items()}
        if num > 1:
            names = {provider: f"{num} x {name}" for provider, name in names.items()}
        return {
            provider: (names[provider], num * server.monthly)
            for provider, server in self.size.servers.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        low, high = self.copies_gb
        num = self.scenario.num_servers
        return {
            "users": self.scenario.label,
            "planned_for": self.scenario.num_users,
            "num_servers": num,
            "instances_per_server": self.plan.num_instances,
            "num_cpus": self.size.num_cpus,
            "memory_gb": self.size.memory_gb,
            "needed_memory_gb": round(num * self.plan.memory.total / GB, 2),
            "one_copy_per_instance_gb": [round(low, 1), round(high, 1)],
            "disk_gb": round(num * self.plan.memory.disk / GB, 1),
            "servers": {name: list(value) for name, value in self.servers().items()},
            "expected": self.plan.outcome.to_json(),
            "is_good": self.plan.is_good,
        }


def scenario_rows(figures: Figures, workload: Workload, prices: PriceList) -> Iterator[ScenarioRow]:
    """Yield a row for each scenario; ``workload`` says what visitors do, not how many they are."""
    for scenario in SCENARIOS:
        load = share_of(replace(workload, num_users=scenario.num_users), scenario.num_servers)
        yield _row(scenario, figures, load, prices)


def _row(scenario: Scenario, figures: Figures, load: Workload, prices: PriceList) -> ScenarioRow:
    for size in prices.sizes:
        there = figures.on(num_cpus=size.num_cpus, memory_bytes=size.memory_gb * GB)
        if plan := first_good(_with_queue(there, load), load):
            return ScenarioRow(scenario, size, plan)
    return ScenarioRow(scenario, size, make_plan(_with_queue(there, load), load))


def _with_queue(figures: Figures, load: Workload) -> Figures:
    """A line that has room for everybody: waiting is what is asked about here."""
    return replace(figures, queue_size=max(figures.queue_size, load.num_users))
