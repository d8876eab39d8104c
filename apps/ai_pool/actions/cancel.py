"""Cancel: end one question that waits, or one answer that runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from ai_model.pool.errors import PoolError
from ai_model.pool.status import InstanceStatus, PoolStatus
from apps.ai_pool import services
from apps.ai_pool.actions.action import Action, Outcome, outcome_of
from apps.ai_pool.table import duration

MAX_CHOICES = 100


class RequestForm(forms.Form):
    """Which one; the list is the one of this moment."""

    generation = forms.CharField(label="Request", max_length=36, widget=forms.RadioSelect)

    def __init__(self, choices: list[tuple[str, str]], data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.fields["generation"].widget.choices = choices


class CancelAction(Action):
    """What is written stays with its reader."""

    name = "cancel"
    label = "Cancel a request"
    title = "Cancel a request"
    verb = "End it"
    permission = "cancel_request"
    is_grave = True
    twin = "manage.py pool queue --cancel ID"
    form_class = RequestForm

    def is_offered(self, status: PoolStatus) -> bool:
        """While there is somebody."""
        return bool(status.num_running or status.num_waiting)

    def make_form(
        self, status: PoolStatus, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """With those who run and wait."""
        return RequestForm(open_requests(status), data, initial=dict(initial or {}))

    def effects(self, status: PoolStatus) -> list[str]:
        """It has an end at once."""
        return [
            "A running answer ends where it is: its reader keeps what is written and may go on "
            "from there.",
            "A waiting question leaves the line; it can be asked again.",
            "This cannot be undone.",
        ]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """End it."""
        generation = values["generation"].strip().lower()
        result = services.cancel_generation(generation)
        outcome = outcome_of(result)
        return Outcome(text=f"{outcome.text} Request {generation[:8]}.", is_done=outcome.is_done)


def open_requests(status: PoolStatus) -> list[tuple[str, str]]:
    """Return who runs and who waits, as id and label; never what they ask."""
    running = [
        (one.generation, _running_label(one))
        for one in status.instances
        if one.generation and one.state != "idle"
    ]
    return [*running, *waiting_requests(status)][:MAX_CHOICES]


def waiting_requests(status: PoolStatus) -> list[tuple[str, str]]:
    """Return who waits, as id and label, the next one first."""
    try:
        waiting = services.list_waiting() if status.num_waiting else ()
    except PoolError:
        waiting = ()
    return [
        (one.generation, f"place {one.position}, {one.visitor}, waits {duration(one.waited_s)}")
        for one in waiting[:MAX_CHOICES]
    ]


def _running_label(one: InstanceStatus) -> str:
    label = f"instance {one.index + 1}, {one.state}, {one.num_generated} tokens"
    return f"{label}, nobody watches" if one.is_orphan else label
