"""The small server's table: the whole product in a control group of 1.65 GiB, one CPU, no swap.

Every part starts a server of its own, so each may be run alone: ``--only mix follow_up``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import Report
from benchmarks.small_parts import (
    follow_up,
    instances,
    mix,
    prefill,
    restart,
    squeeze,
    tight,
)
from benchmarks.small_parts.figure import GROUP_BYTES, Figure, Part

PARTS: dict[str, Part] = {
    "mix": mix.run,
    "prefill": prefill.run,
    "follow_up": follow_up.run,
    "restart": restart.run,
    "squeeze": squeeze.run,
    "tight": tight.run,
    "instances": instances.run,
}


def run(model: Path, *, quick: bool = False, only: Sequence[str] = ()) -> Report:
    """Measure all parts, or those named. A part that fails is a row that says why.

    Raises ValueError for a part that there is not.
    """
    unknown = set(only) - set(PARTS)
    if unknown:
        raise ValueError(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    report = Report(name="small", model=model.name)
    for name, part in PARTS.items():
        if not only or name in only:
            report.rows += [figure.as_row(name) for figure in _measure(part, model, quick)]
    missed = [f"{row['part']}: {row['what']}" for row in report.rows if row["ok"] == "no"]
    report.totals = {"group_bytes": GROUP_BYTES, "missed": "; ".join(missed) or "none"}
    return report


def _measure(part: Part, model: Path, is_quick: bool) -> list[Figure]:
    try:
        return part(model, is_quick)
    except (RuntimeError, OSError, TimeoutError) as error:
        # The rest of the table takes an hour; one part must not cost it.
        notes = " ".join(getattr(error, "__notes__", ()))
        return [
            Figure("failed", f"{error} {notes}".strip()[-400:]),
            Figure("measured", 0, at_least=1),
        ]
