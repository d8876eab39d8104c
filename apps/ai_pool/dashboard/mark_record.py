"""Notices what changes the pool, and keeps it as marks for the plots."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool.models import PoolMark

KEEP = timedelta(days=400)
MAX_TEXT, MAX_FACTS = 200, 255
NUM_KEPT = 5000
"""A pool that dies again and again fills no disk with it."""

Kind = PoolMark.Kind


def record_marks(status: PoolStatus, now: datetime, *, version: str) -> int:
    """Compare a pool and the site's version with what was noted last; returns the marks made.

    ``now`` is aware. Call it about once a minute; several processes may. A pool that is away or
    still loads tells nothing. Raises django.db.DatabaseError.
    """
    if status.state in (PoolState.DOWN, PoolState.LOADING, PoolState.FAILED) or not status.life:
        return 0
    seen: tuple[tuple[Kind, dict[str, Any], Callable[..., str]], ...] = (
        (Kind.RELEASE, {"version": version}, _about_release),
        (Kind.CONFIGURATION, _configuration(status), _about_configuration),
        (Kind.RESTART, {"life": status.life}, lambda _old, _new: _about_restart(status)),
    )
    num_marks = sum(_note(kind, facts, describe, now) for kind, facts, describe in seen)
    if num_marks:
        _prune(now)
    return num_marks


def _note(
    kind: PoolMark.Kind, facts: dict[str, Any], describe: Callable[..., str], now: datetime
) -> int:
    """Make a mark if ``facts`` are not what the last one says; returns 1 if it is new."""
    told = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))[:MAX_FACTS]
    last = PoolMark.objects.filter(kind=kind).order_by("-at", "-id").first()
    if last is not None and last.facts == told:
        return 0
    mark = PoolMark(
        kind=kind,
        # The same minute for all who notice it.
        at=now.replace(second=0, microsecond=0),
        facts=told,
        text=describe({} if last is None else _read(last.facts), facts)[:MAX_TEXT],
    )
    PoolMark.objects.bulk_create([mark], ignore_conflicts=True)
    return 1


def _configuration(status: PoolStatus) -> dict[str, Any]:
    """Return what is set, not what comes and goes with demand."""
    model = status.model
    return {
        "model": "none" if model is None else f"{model.name} {model.quant}"[:100],
        "context": 0 if model is None else model.n_ctx,
        "instances": status.max_instances,
        "always there": status.hot_instances,
        "line": status.queue_size,
    }


def _about_configuration(old: dict[str, Any], new: dict[str, Any]) -> str:
    changes = [
        f"{name} {old[name]} → {value}" if name in old else f"{name} {value}"
        for name, value in new.items()
        if old.get(name) != value
    ]
    text = ", ".join(changes)
    return text[:1].upper() + text[1:]


def _about_release(old: dict[str, Any], new: dict[str, Any]) -> str:
    before = f" (before: {old['version']})" if "version" in old else ""
    return f"Version {new['version']}{before}"


def _about_restart(status: PoolStatus) -> str:
    cause = status.last_restart_cause.strip() if status.num_restarts else ""
    return f"Pool process {status.pid} started" + (f" after: {cause}" if cause else "")


def _read(facts: str) -> dict[str, Any]:
    try:
        read = json.loads(facts)
    except ValueError:
        # It was cut.
        return {}
    return read if isinstance(read, dict) else {}


def _prune(now: datetime) -> None:
    PoolMark.objects.filter(at__lt=now - KEEP).delete()
    newest = PoolMark.objects.order_by("-id").values_list("id", flat=True)
    limit = list(newest[NUM_KEPT : NUM_KEPT + 1])
    if limit:
        PoolMark.objects.filter(id__lte=limit[0]).delete()
