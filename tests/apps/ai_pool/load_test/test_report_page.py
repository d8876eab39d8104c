"""The report needs nothing but itself, and says what happened."""

from __future__ import annotations

import re
from dataclasses import replace

from apps.ai_pool.capacity_plan.plan import make_plan
from apps.ai_pool.capacity_plan.workload import Workload
from apps.ai_pool.load_test.report_page import report_page, verdict
from apps.ai_pool.load_test.result import Result
from apps.ai_pool.load_test.run import Run
from tests.apps.ai_pool.capacity_plan.machines import make_figures

LOAD = Workload(num_users=6, num_turns=2, think_s=1)


def make_result(model: str = "TinyLlama Q8_0") -> Result:
    plan = make_plan(make_figures(), LOAD, (1, 3))
    outcomes = sorted((plan.outcome, *plan.others), key=lambda one: one.num_instances)
    runs = tuple(
        Run(outcome=one, samples=((0.0, 1, 0), (1.0, 0, 1)), num_not_erased=0) for one in outcomes
    )
    expected = {one.num_instances: replace(one, tok_s=one.tok_s * 2) for one in outcomes}
    return Result(began="2026-11-21", model=model, workload=LOAD, runs=runs, plan=expected)


def test_it_is_one_file_without_scripts_or_addresses() -> None:
    page = report_page(make_result())
    assert not re.search(r"https?://|<script|<link|<img|url\(|@import", page)
    assert "prefers-color-scheme:dark" in page
    assert page.count("<svg") == 6


def test_names_are_escaped() -> None:
    assert "<i>x" not in report_page(make_result("<i>x"))


def test_the_verdict_counts_what_the_plan_got_right() -> None:
    result = make_result()
    assert "The plan was within 25 % in 12 of 14 measures." in verdict(result)
    failed = replace(result.runs[0], outcome=replace(result.runs[0].outcome, num_failed=2))
    assert "2 questions got no answer" in verdict(replace(result, runs=(failed,)))


def test_the_verdict_names_what_was_off_and_by_how_much() -> None:
    result = make_result()
    tok_s = result.runs[0].outcome.tok_s
    expected = f"tokens per second with 1 by -50 % ({2 * tok_s:.2f} planned, {tok_s:.2f} measured)"
    assert f"Off: {expected}; tokens per second with 3 by -50 %" in verdict(result)
    slow = replace(result.runs[0].outcome.total, avg=99.0, p50=98.0, p95=99.0)
    runs = (replace(result.runs[0], outcome=replace(result.runs[0].outcome, total=slow)),)
    assert re.search(
        r"Off: answer, .* with 1 by \+[0-9]+ % \([0-9.]+ s planned, 9[89].00 s measured\); .*; "
        r"and 1 more\.$",
        verdict(replace(result, runs=runs)),
    )
    true = replace(result, plan={one.num_instances: one for one in result.outcomes})
    assert verdict(true).endswith("within 25 % in 14 of 14 measures.")
    assert "about other sizes of the pool (9)" in verdict(
        replace(result, plan={9: runs[0].outcome})
    )
