"""A plan in words and tables, for people."""

from __future__ import annotations

from collections.abc import Sequence

from apps.ai_pool.capacity_plan.figures import Figures
from apps.ai_pool.capacity_plan.memory_need import GB, MB, copies_bytes
from apps.ai_pool.capacity_plan.outcome import Outcome
from apps.ai_pool.capacity_plan.plan import Plan
from apps.ai_pool.capacity_plan.prices import PriceList
from apps.ai_pool.capacity_plan.scenarios import ScenarioRow
from apps.ai_pool.capacity_plan.workload import Workload

OUTCOME_HEADINGS = (
    *("instances", "answer avg", "p50", "p95", "p99", "first word p50", "p95"),
    *("wait p50", "p95", "at once", "waiting", "tok/s", "refused", "failed"),
)
SCENARIO_HEADINGS = (
    *("users", "instances", "needed", "a copy each", "disk", "cpus/RAM"),
    *("AWS", "a month", "Azure", "a month", "wait p95", "first word p50", "good"),
)


def outcome_rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """Return the cells of ``OUTCOME_HEADINGS``, one row for each number of instances."""
    return [
        (
            str(one.num_instances),
            *(seconds(value) for value in (one.total.avg, one.total.p50, one.total.p95)),
            seconds(one.total.p99),
            *(seconds(value) for value in (one.ttft.p50, one.ttft.p95)),
            *(seconds(value) for value in (one.wait.p50, one.wait.p95)),
            str(one.max_running),
            str(one.max_waiting),
            f"{one.tok_s:.1f}",
            str(one.num_refused),
            str(one.num_failed),
        )
        for one in outcomes
    ]


def scenario_cells(rows: Sequence[ScenarioRow]) -> list[tuple[str, ...]]:
    """Return the cells of ``SCENARIO_HEADINGS``."""
    cells = []
    for row in rows:
        low, high = row.copies_gb
        num = row.scenario.num_servers
        times = f"{num} x " if num > 1 else ""
        (aws, aws_cost), (azure, azure_cost) = row.servers().values()
        outcome = row.plan.outcome
        cells.append(
            (
                row.scenario.label,
                f"{times}{row.plan.num_instances}",
                f"{num * row.plan.memory.total / GB:.1f} GB",
                f"{low:.1f}-{high:.1f} GB",
                f"{num * row.plan.memory.disk / GB:.0f} GB",
                f"{times}{row.size.num_cpus}/{row.size.memory_gb} GB",
                aws,
                f"${aws_cost}",
                azure,
                f"${azure_cost}",
                seconds(outcome.wait.p95),
                seconds(outcome.ttft.p50),
                "yes" if row.plan.is_good else "no",
            )
        )
    return cells


def figures_lines(figures: Figures) -> list[str]:
    """Return what the plan was made from."""
    points = ", ".join(f"{size}: {cost:.1f}" for size, cost in figures.points)
    return [
        f"{figures.model} {figures.quant}, context {figures.n_ctx}, on {figures.num_cpus} "
        f"CPU{'' if figures.num_cpus == 1 else 's'} and {figures.memory_bytes / GB:.1f} GB.",
        f"Step costs in ms by tokens ({figures.source}): {points}; {1000 * figures.cell_ms:.1f} us "
        "for a cell looked at.",
    ]


def workload_line(load: Workload) -> str:
    """Return what visitors are taken to do."""
    return (
        f"{load.num_users} visitor{'' if load.num_users == 1 else 's'} at the same time, "
        f"{load.num_turns} questions each, {load.think_s:g} s of reading and typing between them, "
        f"questions of {load.question_tokens} and answers of {load.answer_tokens} tokens."
    )


def plan_lines(plan: Plan) -> list[str]:
    """Return the plan: verdict, expectation, memory, settings."""
    need, outcome = plan.memory, plan.outcome
    low, high = copies_bytes(plan.num_instances)
    lines = [
        plan.verdict,
        "",
        f"Instances    {plan.num_instances}",
        f"Wait         {seconds(outcome.wait.p50)} (median), {seconds(outcome.wait.p95)} (p95)",
        f"First word   {seconds(outcome.ttft.p50)} (median), {seconds(outcome.ttft.p95)} (p95)",
        f"Answer       {seconds(outcome.total.p50)} (median), {seconds(outcome.total.p95)} (p95)",
        f"Memory       {need.total / MB:,.0f} MB: weights once {need.weights / MB:,.0f}, "
        f"{plan.num_instances} x {plan.figures.instance_bytes / MB:,.1f} for instances, "
        f"{need.parked / MB:,.0f} for parked conversations, {need.processes / MB:,.0f} for two "
        f"processes, {need.system / MB:,.0f} for the system",
        f"             (with a copy of the model for each instance it would be taken to be "
        f"{low / GB:.1f} to {high / GB:.1f} GB)",
        "",
        "For .env:",
    ]
    return lines + [f"  {line}" for line in plan.settings]


def price_lines(prices: PriceList) -> list[str]:
    """Return where the costs come from and what the columns mean."""
    return [
        f"Costs in {prices.currency}, as of {prices.as_of}. {prices.note}",
        "needed: the weights once, and for every instance its context. a copy each: the customary "
        "estimate of 1.5 GB an instance and 1 to 4 GB for services.",
        "good: nineteen of twenty wait at most 2 s, nobody is refused, and an answer can be read "
        "along.",
    ]


def seconds(value: float) -> str:
    """Return seconds for people."""
    if value < 10:
        return f"{value:.2f} s"
    return f"{value:.1f} s" if value < 100 else f"{value:,.0f} s"
