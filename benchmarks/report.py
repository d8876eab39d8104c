"""One benchmark's result: a table for people, one JSON object for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psutil
from rich.console import Console
from rich.table import Table

Row = dict[str, object]


@dataclass(slots=True, kw_only=True)
class Report:
    """Rows of flat values, and figures of the whole run in ``totals``."""

    name: str
    model: str
    rows: list[Row] = field(default_factory=list)
    totals: Row = field(default_factory=dict)
    date: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    machine: Row = field(default_factory=lambda: describe_machine())

    def as_dict(self) -> Mapping[str, object]:
        """Return the one JSON object, totals at its top level."""
        return {
            "name": self.name,
            "machine": self.machine,
            "model": self.model,
            "date": self.date,
            **self.totals,
            "rows": self.rows,
        }

    def write(self, path: Path) -> None:
        """Write the JSON object to ``path``."""
        path.write_text(json.dumps(self.as_dict(), indent=2) + "\n")

    def print(self, console: Console) -> None:
        """Print the rows as a table and the totals under it."""
        table = Table(title=f"{self.name}  {self.model}")
        for key in self.rows[0] if self.rows else ():
            table.add_column(key, justify="right")
        for row in self.rows:
            table.add_row(*(_show(value) for value in row.values()))
        console.print(table)
        for key, value in self.totals.items():
            console.print(f"{key}: {_show(value)}")


def median_of(reports: Sequence[Report]) -> Report:
    """Return one report with the median of every figure of several runs of the same benchmark."""
    first = reports[0]
    rows = [_median_row([report.rows[at] for report in reports]) for at in range(len(first.rows))]
    totals = _median_row([report.totals for report in reports])
    totals["runs"] = len(reports)
    return Report(name=first.name, model=first.model, rows=rows, totals=totals)


def _median_row(rows: Sequence[Row]) -> Row:
    return {
        key: median(float(str(row[key])) for row in rows) if isinstance(value, float) else value
        for key, value in rows[0].items()
    }


def describe_machine() -> Row:
    """Return what a reader must know of this machine to compare numbers."""
    cpu = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
    }


def percentile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of ``values`` lie, nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _show(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
