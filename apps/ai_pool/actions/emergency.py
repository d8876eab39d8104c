"""The switch of the emergency mode: by memory, on, or off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from ai_model.pool.config import EMERGENCY_MODES
from ai_model.pool.status import PoolStatus
from apps.ai_pool import services
from apps.ai_pool.actions.action import Action, Outcome, Undo, outcome_of

LABELS = {
    "auto": "By memory: save step by step as it gets short, and stop saving when it is over",
    "on": "On: short answers and no new conversations now, however much memory there is",
    "off": "Off: never save, even if the kernel ends the pool for it",
}


class EmergencyForm(forms.Form):
    """One of the three."""

    mode = forms.ChoiceField(
        label="Emergency mode",
        choices=[(mode, LABELS[mode]) for mode in EMERGENCY_MODES],
        widget=forms.RadioSelect,
    )


class EmergencyAction(Action):
    """Counts at once, for answers that begin from then on."""

    name = "emergency"
    label = "Emergency mode"
    title = "Switch the emergency mode"
    verb = "Switch"
    permission = "emergency_pool"
    is_grave = True
    twin = "manage.py pool emergency auto"
    form_class = EmergencyForm

    def make_form(
        self, status: PoolStatus, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """With how it stands."""
        return EmergencyForm(data, initial={"mode": _mode(status)} | dict(initial or {}))

    def effects(self, status: PoolStatus) -> list[str]:
        """How short memory is now, and what the mode means."""
        memory = status.memory
        level = f"Memory pressure is {memory.level}. {memory.reason}" if memory.level else ""
        return [
            *([level.strip()] if level else []),
            "In emergency mode an answer has at most 128 tokens, the model sees the last two "
            "exchanges, and new conversations are asked to come back in a moment; approved "
            "answers come as always.",
            "It holds until it is switched again or the server restarts.",
        ]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Switch."""
        before = _mode(status)
        undo = Undo(label=f"Back to {before}", action=self.name, values={"mode": before})
        return outcome_of(services.set_emergency(values["mode"]), undo)


def _mode(status: PoolStatus) -> str:
    return status.memory.switch or EMERGENCY_MODES[0]
