"""The table of scenarios: visitors, instances, memory, disk, and the server to rent for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from apps.ai_pool.capacity_plan.figures import Figures
from apps.ai_pool.capacity_plan.memory_need import GB, copies_bytes
from apps.ai_pool.capacity_plan.plan import Plan, first_good, make_plan, share_of, with_parking
from apps.ai_pool.capacity_plan.prices import PriceList, Size
from apps.ai_pool.capacity_plan.workload import Workload

LARGE = (5, 10, 16, 24)
"""What is compared where no number of instances serves well."""


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
    sizes = prices.sizes
    for scenario in SCENARIOS:
        load = share_of(replace(workload, num_users=scenario.num_users), scenario.num_servers)
        if scenario.num_servers > 1:
            yield _row(scenario, figures, load, prices.sizes)
            continue
        row = _row(scenario, figures, load, sizes)
        # More visitors need no smaller server.
        sizes = sizes[sizes.index(row.size) :]
        yield row


def _row(
    scenario: Scenario, figures: Figures, load: Workload, sizes: tuple[Size, ...]
) -> ScenarioRow:
    for size in sizes:
        there = _on(figures, size, load)
        if plan := first_good(there, load):
            return ScenarioRow(scenario, size, plan)
    return ScenarioRow(scenario, sizes[-1], make_plan(_on(figures, sizes[-1], load), load, LARGE))


def _on(figures: Figures, size: Size, load: Workload) -> Figures:
    """Return that machine, with a line that has room for everybody: waiting is the question."""
    there = figures.on(num_cpus=size.num_cpus, memory_bytes=size.memory_gb * GB)
    there = with_parking(there, load)
    return replace(there, queue_size=max(figures.queue_size, load.num_users))
