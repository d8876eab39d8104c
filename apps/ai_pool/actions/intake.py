"""Pause, resume and drain: whether new questions are taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from ai_model.pool.controls import DEFAULT_MESSAGE, MAX_MESSAGE_CHARS
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import services
from apps.ai_pool.actions.action import Action, Outcome, Undo, counted, outcome_of

OPEN_AGAIN = Undo(label="Take questions again", action="resume")


class PauseForm(forms.Form):
    """What visitors are told."""

    message = forms.CharField(
        label="Visitors are told",
        max_length=MAX_MESSAGE_CHARS,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text="One sentence, in your visitors' language; it is shown as you write it.",
    )


class PauseAction(Action):
    """Refuses what comes with the operator's sentence."""

    name = "pause"
    label = title = "Pause intake"
    verb = "Pause"
    permission = "pause_pool"
    is_grave = True
    twin = 'manage.py pool pause "Back at noon."'
    form_class = PauseForm

    def is_offered(self, status: PoolStatus) -> bool:
        """Unless it is paused."""
        return status.state not in (PoolState.DOWN, PoolState.PAUSED)

    def make_form(
        self, status: PoolStatus, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """With the sentence in use, or the usual one."""
        message = status.notice or DEFAULT_MESSAGE
        return super().make_form(status, data, {"message": message} | dict(initial or {}))

    def effects(self, status: PoolStatus) -> list[str]:
        """Nobody new; everybody else goes on."""
        return [
            "New questions are refused with the sentence below, until somebody resumes.",
            _go_on(status),
            "It holds when the pool process dies or is restarted, and ends with the server.",
        ]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Pause."""
        return outcome_of(services.pause_pool(values["message"]), OPEN_AGAIN)


class ResumeAction(Action):
    """Takes questions again."""

    name = "resume"
    label = title = "Resume intake"
    verb = "Resume"
    permission = "resume_pool"
    twin = "manage.py pool resume"

    def is_offered(self, status: PoolStatus) -> bool:
        """While nothing new is taken."""
        return status.state in (PoolState.PAUSED, PoolState.DRAINING)

    def effects(self, status: PoolStatus) -> list[str]:
        """Open."""
        effects = ["New questions are taken at once."]
        if status.notice:
            effects.append(f"Visitors are no longer told: {status.notice}")
        return effects

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Resume."""
        undo = None
        if status.state is PoolState.PAUSED:
            undo = Undo(label="Pause again", action="pause", values={"message": status.notice})
        elif status.state is PoolState.DRAINING:
            undo = Undo(label="Drain again", action="drain")
        return outcome_of(services.resume_pool(), undo)


class DrainAction(Action):
    """Empties the pool."""

    name = "drain"
    label = title = "Drain the pool"
    verb = "Drain"
    permission = "drain_pool"
    is_grave = True
    twin = "manage.py pool drain"

    def is_offered(self, status: PoolStatus) -> bool:
        """Unless it is draining."""
        return status.state not in (PoolState.DOWN, PoolState.DRAINING)

    def effects(self, status: PoolStatus) -> list[str]:
        """Nobody new; what there is is finished."""
        return [
            "New questions are refused; visitors are told that the assistant is back soon.",
            _go_on(status),
            "It stays so until somebody resumes, also over a restart of the pool process.",
        ]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Drain."""
        return outcome_of(services.drain_pool(), OPEN_AGAIN)


def _go_on(status: PoolStatus) -> str:
    if not status.num_running and not status.num_waiting:
        return "Nobody is being answered and nobody waits."
    running = counted(status.num_running, "running answer")
    waiting = counted(status.num_waiting, "waiting question")
    return f"{running} and {waiting} are finished as usual."
