"""Lets simulated visitors chat with the running site, for one or several sizes of the pool."""

from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django_rich.management import RichCommand
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ai_model.pool.errors import PoolError
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import services
from apps.ai_pool.capacity_plan.outcome import Outcome
from apps.ai_pool.capacity_plan.wording import OUTCOME_HEADINGS, outcome_rows, workload_line
from apps.ai_pool.capacity_plan.workload import Workload
from apps.ai_pool.load_test.arguments import add_workload, numbers
from apps.ai_pool.load_test.comparison import BadPlan, check_plan, read_plan
from apps.ai_pool.load_test.key import load_test_key
from apps.ai_pool.load_test.report_page import report_page, verdict
from apps.ai_pool.load_test.result import COMPARISON_HEADINGS, Result, comparison_cells
from apps.ai_pool.load_test.run import Run, run_visitors, site_address
from apps.ai_pool.load_test.visitor import WrongSite
from apps.ai_pool.text_table import print_table

EXIT_FAILED_SOME, EXIT_WRONG = 1, 2
MAX_USERS = 1000
DEFAULT_URL = "http://127.0.0.1:8000"


class Command(RichCommand):
    """``loadtest --users N --turns K [--pool-sizes 1,3,5,10]``.

    Exit code 0 every question was answered, 1 some were not, 2 nothing could be tested, or wrong
    use.
    """

    help = "Simulated visitors chat with the running site; what they met is measured and drawn."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who comes, what they do, where, and where the result goes."""
        parser.add_argument("--users", type=int, default=10, help="visitors at the same time (10)")
        add_workload(parser)
        parser.add_argument(
            "--pool-sizes",
            type=numbers,
            help="test one after the other with so many instances: 1,3,5,10 (on the server itself)",
        )
        parser.add_argument("--url", default=DEFAULT_URL, help=f"the site ({DEFAULT_URL})")
        parser.add_argument("--plan", type=Path, help="output of plan_capacity --json to compare")
        parser.add_argument("--out", type=Path, help="directory for JSON and report")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")
        parser.add_argument(
            "--clean",
            action="store_true",
            help="only remove what a test that was killed has left in this database",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the test; the pool gets its size back and the data is removed, however it ends."""
        if options["clean"]:
            self._clean()
            return
        try:
            result = self._test(options)
        except (WrongSite, PoolError, BadPlan) as error:
            raise CommandError(str(error), returncode=EXIT_WRONG) from None
        except ValueError as error:
            text = str(error).rstrip(".")
            raise CommandError(f"{text}.", returncode=EXIT_WRONG) from None
        except KeyboardInterrupt:
            raise CommandError("Stopped; nothing is kept.", returncode=EXIT_WRONG) from None
        self._show(result, options)

    def _clean(self) -> None:
        from apps.ai_chat.services import erase_load_tests

        num_gone = erase_load_tests()
        self.stdout.write(f"Removed {num_gone} conversations of load tests.")

    def _test(self, options: dict[str, Any]) -> Result:
        if not 1 <= options["users"] <= MAX_USERS:
            raise ValueError(f"--users must lie between 1 and {MAX_USERS}")
        load = Workload(
            num_users=options["users"],
            num_turns=options["turns"],
            think_s=options["think"],
            question_tokens=options["question_tokens"],
            answer_tokens=options["answer_tokens"],
            answer_spread=options["answer_spread"],
            system_tokens=options["system_tokens"],
        )
        url = site_address(options["url"])
        plan: dict[int, Outcome] = {}
        if options["plan"] is not None:
            plan = read_plan(options["plan"])
            check_plan(options["plan"], load)
        began = datetime.now(UTC).isoformat(timespec="seconds")
        status = asyncio.run(services.pool_status())
        is_here = status.state is PoolState.READY
        if options["pool_sizes"] and not is_here:
            raise ValueError(
                "--pool-sizes needs the running pool, and none answers here; run it on the server, "
                "or leave it out"
            )
        runs = list(self._runs(url, load, status, options["pool_sizes"], options["as_json"]))
        model = f"{status.model.name} {status.model.quant}" if status.model else url
        return Result(began=began, model=model, workload=load, runs=tuple(runs), plan=plan)

    def _runs(
        self,
        url: str,
        load: Workload,
        status: PoolStatus,
        sizes: tuple[int, ...] | None,
        as_json: bool,
    ) -> Iterator[Run]:
        key = load_test_key()
        if not sizes:
            with self._progress(load, "", as_json) as done:
                yield run_visitors(url, key, load, max(1, status.max_instances), done)
            return
        try:
            for size in sizes:
                done_resize = services.resize_pool(size)
                if not done_resize.is_done:
                    raise WrongSite(done_resize.text)
                with self._progress(load, f"{size} instances", as_json) as done:
                    yield run_visitors(url, key, load, size, done)
        finally:
            services.resize_pool(status.max_instances)

    @contextmanager
    def _progress(self, load: Workload, label: str, as_json: bool) -> Iterator[Any]:
        if as_json or not self.console.is_terminal:
            yield lambda: None
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(label or "questions", total=load.num_users * load.num_turns)
            yield lambda: progress.advance(task)

    def _show(self, result: Result, options: dict[str, Any]) -> None:
        files = self._write(result, options["out"])
        if options["as_json"]:
            self.stdout.write(json.dumps(result.to_json(), indent=1))
        else:
            self.stdout.write(f"{result.model}. {workload_line(result.workload)}\n")
            print_table(self.console, OUTCOME_HEADINGS, outcome_rows(result.outcomes))
            if result.compared:
                self.stdout.write("")
                print_table(self.console, COMPARISON_HEADINGS, comparison_cells(result.compared))
            self.stdout.write("\n" + verdict(result))
            self.stdout.write("\n".join(f"Written: {path}" for path in files))
        num_left = sum(run.num_not_erased for run in result.runs)
        if num_left:
            self.stderr.write(
                f"What {num_left} simulated visitors wrote could not be removed; run "
                "`manage.py loadtest --clean` on the server."
            )
        if result.num_bad:
            raise CommandError(
                f"{result.num_bad} questions got no answer.", returncode=EXIT_FAILED_SOME
            )

    def _write(self, result: Result, directory: Path | None) -> list[Path]:
        directory = directory or Path(settings.CORRAL_VAR_DIR) / "loadtests"
        name = result.began.partition("+")[0].replace(":", "").replace("-", "")
        files = [directory / f"loadtest-{name}{end}" for end in (".json", ".html")]
        try:
            directory.mkdir(parents=True, exist_ok=True)
            files[0].write_text(json.dumps(result.to_json(), indent=1) + "\n")
            files[1].write_text(report_page(result))
        except OSError as error:
            raise CommandError(
                f"{directory} cannot be written ({error.strerror}).", returncode=EXIT_WRONG
            ) from None
        return files
