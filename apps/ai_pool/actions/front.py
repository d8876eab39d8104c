"""Move to the front: let one question that waits be the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from ai_model.pool.status import PoolStatus
from apps.ai_pool import services
from apps.ai_pool.actions.action import Action, Outcome, counted
from apps.ai_pool.actions.cancel import RequestForm, waiting_requests


class FrontAction(Action):
    """Its visitor pays for it with later turns, so that it stays fair in the long run."""

    name = "front"
    label = "Move to the front"
    title = "Move a waiting request to the front"
    verb = "Move it"
    permission = "move_request"
    twin = "manage.py pool queue --front ID"
    form_class = RequestForm

    def is_offered(self, status: PoolStatus) -> bool:
        """While somebody waits behind somebody."""
        return status.num_waiting > 1

    def make_form(
        self, status: PoolStatus, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """With those who wait."""
        return RequestForm(waiting_requests(status), data, initial=dict(initial or {}))

    def effects(self, status: PoolStatus) -> list[str]:
        """Who waits longer for it."""
        return [
            "It gets the next instance that is free. Whoever was before it waits one answer "
            f"longer: {counted(max(0, status.num_waiting - 1), 'other question')} in line.",
            "Its visitor pays for the turn as for any other, so the others are served the sooner "
            "afterwards. Who has as many answers running as allowed still waits for one to end.",
            "It holds until the pool process ends, and cannot be undone; another one can be moved "
            "in front of it.",
        ]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Move it."""
        generation = values["generation"].strip().lower()
        result = services.move_to_front(generation)
        return Outcome(text=f"{result.text} Request {generation[:8]}.", is_done=result.is_done)
