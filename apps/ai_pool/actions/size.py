"""Resize: how many questions are answered at the same time, and what that needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from ai_model.engine.config import MAX_INSTANCES
from ai_model.hardware import available_memory_bytes, memory_limit_bytes
from ai_model.pool.status import PoolStatus
from apps.ai_pool import services
from apps.ai_pool.actions.action import Action, Outcome, Undo, counted, outcome_of


class ResizeForm(forms.Form):
    """How many; more than there is memory for has to be meant."""

    num_instances = forms.IntegerField(label="Instances", min_value=1, max_value=MAX_INSTANCES)
    is_sure = forms.BooleanField(
        label="Do it although memory may not suffice", required=False, widget=forms.HiddenInput
    )

    def __init__(self, status: PoolStatus, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self._status = status

    def clean(self) -> dict[str, Any]:
        """Compare what is needed with what is free."""
        values: dict[str, Any] = super().clean() or {}
        number = values.get("num_instances")
        if number is None or values.get("is_sure"):
            return values
        needed, free = needed_bytes(self._status, number), free_bytes(self._status)
        if needed > free:
            self.fields["is_sure"].widget = forms.CheckboxInput()
            more = counted(number - self._status.max_instances, "more instance")
            self.add_error(
                "num_instances",
                f"{more} with full contexts need {_mb(needed)}, and {_mb(free)} are free.",
            )
        return values


class ResizeAction(Action):
    """Running answers go on."""

    name = "resize"
    label = "Resize"
    title = "Change the number of instances"
    verb = "Resize"
    permission = "resize_pool"
    twin = "manage.py pool resize 6"
    form_class = ResizeForm

    def make_form(
        self, status: PoolStatus, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """With the size it has."""
        given = {"num_instances": status.max_instances} | dict(initial or {})
        return ResizeForm(status, data, initial=given)

    def effects(self, status: PoolStatus) -> list[str]:
        """What one more costs, and how many fit."""
        effects = [
            f"{counted(status.max_instances, 'instance')} may be there now; {status.num_running} "
            "of them are busy. Running answers go on, also when there are to be fewer."
        ]
        each, free = status.kv_bytes_per_instance, free_bytes(status)
        if each:
            fits = min(MAX_INSTANCES - status.max_instances, int(free // each))
            effects.append(
                f"Every instance needs {_mb(each)} with a full context. {_mb(free)} are free, "
                f"which is room for {max(0, fits)} more."
            )
        effects.append("More instances share the same processors: each answer then gets slower.")
        return effects

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Resize."""
        before = status.max_instances
        undo = Undo(label=f"Back to {before}", action="resize", values={"num_instances": before})
        return outcome_of(services.resize_pool(values["num_instances"]), undo)


def needed_bytes(status: PoolStatus, num_instances: int) -> int:
    """Return what ``num_instances`` need more than those there may be now."""
    return max(0, num_instances - status.max_instances) * status.kv_bytes_per_instance


def free_bytes(status: PoolStatus) -> int:
    """Return what is free for more instances: by the pool's own measure, else the machine's."""
    memory = status.memory
    if memory.limit_bytes and memory.pressure is not None:
        return max(0, int(memory.limit_bytes * (1 - memory.pressure)))
    return min(available_memory_bytes(), max(0, memory_limit_bytes() - memory.rss_bytes))


def _mb(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.0f} MB"
