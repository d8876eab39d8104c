"""Computes from measured step costs what a number of visitors needs, before anything is run."""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django_rich.management import RichCommand

from ai_model.model_file import BadModelFile
from ai_model.store import UnknownModel
from apps.ai_pool import conf
from apps.ai_pool.capacity_plan.figures import BadFigures, Figures
from apps.ai_pool.capacity_plan.measuring import figures_here
from apps.ai_pool.capacity_plan.plan import CANDIDATES, make_plan, with_parking
from apps.ai_pool.capacity_plan.prices import read_prices
from apps.ai_pool.capacity_plan.scenarios import scenario_rows
from apps.ai_pool.capacity_plan.wording import (
    OUTCOME_HEADINGS,
    SCENARIO_HEADINGS,
    figures_lines,
    outcome_rows,
    plan_lines,
    price_lines,
    scenario_cells,
    workload_line,
)
from apps.ai_pool.capacity_plan.workload import Workload
from apps.ai_pool.load_test.arguments import add_workload, numbers
from apps.ai_pool.text_table import print_table

EXIT_SHORT, EXIT_WRONG_USE = 1, 2
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class Command(RichCommand):
    """``plan_capacity [--users N | --table]``.

    Exit code 0 this machine suffices (or the table was printed), 1 it does not, 2 wrong use or
    nothing could be measured.
    """

    help = "Computes how many instances and how much machine a number of visitors needs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who comes, what they do, and where the figures come from."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--users", type=int, default=10, help="visitors at the same time (10)")
        what.add_argument("--table", action="store_true", help="scenarios from 1 to 100+ visitors")
        add_workload(parser)
        parser.add_argument(
            "--pool-sizes", type=numbers, help="numbers of instances to compare: 1,3,5,10"
        )
        parser.add_argument("--memory", type=size_bytes, help="plan for so much memory: 8G")
        parser.add_argument("--cpus", type=int, help="plan for so many CPUs")
        parser.add_argument(
            "--figures", type=Path, help="step costs from the --json output of another run"
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure or read, compute, print."""
        try:
            figures = self._figures(options)
            load = Workload(
                num_users=options["users"],
                num_turns=options["turns"],
                think_s=options["think"],
                question_tokens=options["question_tokens"],
                answer_tokens=options["answer_tokens"],
                answer_spread=options["answer_spread"],
                system_tokens=options["system_tokens"],
            )
        except (BadFigures, UnknownModel, BadModelFile, conf.ImpossibleSetting) as error:
            raise CommandError(str(error), returncode=EXIT_WRONG_USE) from None
        except ValueError as error:
            raise CommandError(f"{error}.", returncode=EXIT_WRONG_USE) from None
        if options["table"]:
            self._table(figures, load, options["as_json"])
        else:
            self._plan(figures, load, options)

    def _figures(self, options: dict[str, Any]) -> Figures:
        path: Path | None = options["figures"]
        if path is None:
            figures = self._measured(options["as_json"])
        else:
            try:
                found = json.loads(path.read_text())
            except (OSError, ValueError):
                raise BadFigures(f"{path} cannot be read as JSON.") from None
            inner = found.get("figures", found) if isinstance(found, dict) else found
            figures = Figures.from_json(inner)
        num_cpus = options["cpus"] or figures.num_cpus
        if num_cpus < 1:
            raise BadFigures("A machine has at least one CPU.")
        memory = options["memory"] or figures.memory_bytes
        return figures.on(num_cpus=num_cpus, memory_bytes=memory)

    def _measured(self, as_json: bool) -> Figures:
        if as_json or not self.console.is_terminal:
            return figures_here()
        with self.console.status("Measuring what a step costs here."):
            return figures_here()

    def _plan(self, figures: Figures, load: Workload, options: dict[str, Any]) -> None:
        asked: tuple[int, ...] | None = options["pool_sizes"]
        if asked is None:
            # With --pool-sizes a run is planned, of the site as it is configured.
            figures = with_parking(figures, load)
        plan = make_plan(figures, load, asked or CANDIDATES)
        if options["as_json"]:
            self.stdout.write(json.dumps(plan.to_json(), indent=1))
        else:
            self._say(*figures_lines(figures), workload_line(load), "")
            outcomes = sorted((plan.outcome, *plan.others), key=lambda one: one.num_instances)
            print_table(self.console, OUTCOME_HEADINGS, outcome_rows(outcomes))
            self._say("", *plan_lines(plan))
        if not plan.is_good:
            raise CommandError(plan.verdict, returncode=EXIT_SHORT)

    def _table(self, figures: Figures, load: Workload, as_json: bool) -> None:
        prices = read_prices()
        if as_json or not self.console.is_terminal:
            rows = list(scenario_rows(figures, load, prices))
        else:
            with self.console.status("Playing the visitors of every scenario."):
                rows = list(scenario_rows(figures, load, prices))
        if as_json:
            table = {
                "figures": figures.to_json(),
                "workload": load.to_json(),
                "prices_as_of": prices.as_of,
                "scenarios": [row.to_json() for row in rows],
            }
            self.stdout.write(json.dumps(table, indent=1))
            return
        self._say(*figures_lines(figures), workload_line(replace(load, num_users=1)), "")
        print_table(self.console, SCENARIO_HEADINGS, scenario_cells(rows))
        self._say("", *price_lines(prices))

    def _say(self, *lines: str) -> None:
        self.stdout.write("\n".join(lines))


def size_bytes(text: str) -> int:
    """Return the bytes that 512M or 8G mean."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not found or not float(found[1]):
        raise ArgumentTypeError(f"{text} is not a size of memory such as 512M or 8G")
    return int(float(found[1]) * UNITS[found[2].upper()])
