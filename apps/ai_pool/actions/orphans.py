"""Cancel orphans: end the running answers that nobody watches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ai_model.pool.status import ORPHAN_S, PoolStatus
from apps.ai_pool import services
from apps.ai_pool.actions.action import Action, Outcome, counted, outcome_of


class OrphansAction(Action):
    """Gives their instances to those who wait."""

    name = "orphans"
    label = "Cancel orphans"
    title = "Cancel the answers that nobody watches"
    verb = "End them"
    permission = "cancel_request"
    is_grave = True
    twin = "manage.py pool queue --cancel-orphans"

    def is_offered(self, status: PoolStatus) -> bool:
        """While there is one."""
        return bool(status.num_orphans)

    def effects(self, status: PoolStatus) -> list[str]:
        """How many there are now."""
        return [
            f"{counted(status.num_orphans, 'running answer')} had no reader for {ORPHAN_S:.0f} s "
            "or more: their pages were closed or have lost their line.",
            "Each ends where it is. Whoever comes back finds what is written and may go on from "
            "there; nobody who waits in line loses the place.",
            "This cannot be undone.",
        ]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """End those that are orphans now."""
        return outcome_of(services.cancel_orphans())
