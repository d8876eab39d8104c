"""The pool's last 24 hours, minute by minute, as a file for a spreadsheet or a program."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from ai_model.pool.pool_sample import PoolSample
from apps.ai_pool import rollup
from apps.ai_pool.models import PoolHistory

PERIOD = timedelta(hours=24)


class ExportFormat(StrEnum):
    """How the file is written."""

    CSV = "csv"
    JSON = "json"

    @property
    def content_type(self) -> str:
        """Its name in HTTP."""
        return {"csv": "text/csv; charset=utf-8", "json": "application/json"}[self]


def read_samples(now: datetime) -> list[PoolSample]:
    """Return the minutes of the 24 hours before ``now`` (aware), oldest first."""
    return rollup.read(PoolHistory.Resolution.MINUTE, now - PERIOD, now)


def export_text(samples: list[PoolSample], form: ExportFormat) -> str:
    """Return the samples as a file; numbers only, with the end of each minute in UTC."""
    rows = [{"at": _utc(sample.unix_s)} | asdict(sample) for sample in samples]
    if form is ExportFormat.JSON:
        return json.dumps(rows, indent=1) + "\n"
    out = io.StringIO()
    names = ["at", *(field.name for field in fields(PoolSample))]
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def export_name(now: datetime, form: ExportFormat) -> str:
    """Return a name for the file, such as pool-20261121-1405.csv."""
    return f"pool-{now.astimezone(UTC):%Y%m%d-%H%M}.{form}"


def _utc(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, tz=UTC).isoformat(timespec="seconds")
