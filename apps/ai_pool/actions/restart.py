"""Restart: a new pool process in place of this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from ai_model.pool.controls import MAX_PATIENCE_S
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import services
from apps.ai_pool.actions.action import Action, Outcome, counted, outcome_of
from apps.ai_pool.table import duration


class RestartForm(forms.Form):
    """How long what runs may take."""

    patience_s = forms.IntegerField(
        label="Seconds for running answers",
        min_value=0,
        max_value=int(MAX_PATIENCE_S),
        initial=int(services.RESTART_PATIENCE_S),
        help_text="They may finish within this time; what still runs then goes on afterwards.",
    )


class RestartAction(Action):
    """Answers finish, or go on in the new process as they do after a death."""

    name = "restart"
    label = title = "Restart the pool process"
    verb = "Restart"
    permission = "restart_pool"
    is_grave = True
    needs_pool = False
    twin = "manage.py pool restart"
    form_class = RestartForm

    def effects(self, status: PoolStatus) -> list[str]:
        """Who waits how long."""
        if status.state is PoolState.DOWN:
            return ["The pool does not answer. If it was given up, it is tried again now."]
        return [
            f"Process {status.pid}, up {duration(status.uptime_s)}, ends and a new one starts. It "
            "reads the model again, which takes some seconds.",
            f"{counted(status.num_running, 'running answer')} may finish first; what does not goes "
            "on in the new process from where it was.",
            f"{counted(status.num_waiting, 'waiting question')}, and what comes meanwhile, "
            "wait until then and lose nothing.",
            "A pause, the size, the model and changed limits stay as they are.",
        ]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Restart."""
        return outcome_of(services.restart_pool(values["patience_s"]))
