"""Temporary limits: change one for a while, or undo that at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms

from ai_model.pool.status import PoolState, PoolStatus
from ai_model.pool.temporary_limit import LimitName
from apps.ai_pool import services
from apps.ai_pool.actions.action import Action, Outcome, Undo, outcome_of
from apps.ai_pool.table import duration

LABELS = {
    LimitName.MAX_TOKENS: "Longest answer, in tokens",
    LimitName.CONTEXT: "Conversation the model sees, in tokens",
    LimitName.QUEUE_SIZE: "Questions that may wait",
    LimitName.MAX_INFLIGHT: "Open questions of one visitor",
}
PERIODS = ((15, "15 minutes"), (60, "1 hour"), (240, "4 hours"), (1440, "1 day"))


class LimitForm(forms.Form):
    """Which limit, its value, how long."""

    limit = forms.ChoiceField(label="Limit", choices=list(LABELS.items()), widget=forms.RadioSelect)
    value = forms.IntegerField(label="Value meanwhile", min_value=0)
    minutes = forms.TypedChoiceField(label="For", choices=PERIODS, coerce=int, initial=60)

    def clean(self) -> dict[str, Any]:
        """Each limit has bounds of its own."""
        values: dict[str, Any] = super().clean() or {}
        name, value = values.get("limit"), values.get("value")
        if name and value is not None:
            low, high = LimitName(name).bounds
            if not low <= value <= high:
                self.add_error("value", f"This limit can be {low:,} to {high:,}.")
        return values


class UnlimitForm(forms.Form):
    """Which limit."""

    limit = forms.ChoiceField(label="Limit", choices=list(LABELS.items()), widget=forms.RadioSelect)


class LimitAction(Action):
    """Goes back by itself."""

    name = "limit"
    label = "Change a limit for a while"
    title = "Change a limit for a while"
    verb = "Change"
    permission = "limit_pool"
    twin = "manage.py pool limits max_tokens 128 --minutes 60"
    form_class = LimitForm

    def make_form(
        self, status: PoolStatus, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """With what each limit is now."""
        form = super().make_form(status, data, initial)
        field = form.fields["limit"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (name, f"{label}: {status.limit_values.get(name, '?')} now")
            for name, label in LABELS.items()
        ]
        return form

    def effects(self, status: PoolStatus) -> list[str]:
        """What is changed already."""
        effects = [
            "It goes back by itself when the time is over, also over a restart of the pool "
            "process, and can be undone at any time. What should last is a setting.",
            "Running answers keep the limit they began with.",
            f"{status.num_waiting} of {status.queue_size} places in line are taken.",
        ]
        effects += [
            f"Changed already: {LABELS[one.name].lower()}, {one.value} instead of {one.usual} for "
            f"{duration(one.left_s)} yet."
            for one in status.limits
        ]
        return effects

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Change it."""
        name = LimitName(values["limit"])
        undo = Undo(label="Undo", action="unlimit", values={"limit": str(name)})
        seconds = values["minutes"] * 60.0
        return _named(name, outcome_of(services.limit_pool(name, values["value"], seconds), undo))


class UnlimitAction(Action):
    """Undoes a change before its time."""

    name = "unlimit"
    label = title = "Undo a changed limit"
    verb = "Undo"
    permission = "limit_pool"
    twin = "manage.py pool limits max_tokens --undo"
    form_class = UnlimitForm

    def is_offered(self, status: PoolStatus) -> bool:
        """Its button stands beside each changed limit."""
        return False

    def effects(self, status: PoolStatus) -> list[str]:
        """What would go back."""
        if status.state is PoolState.DOWN or not status.limits:
            return ["All limits are as usual."]
        return [f"{LABELS[one.name]} goes back to {one.usual}." for one in status.limits]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Go back."""
        name = LimitName(values["limit"])
        undo = None
        for one in status.limits:
            if one.name is name:
                again = {"limit": str(name), "value": one.value}
                undo = Undo(label="Change it again", action="limit", values=again)
        return _named(name, outcome_of(services.unlimit_pool(name), undo))


def _named(name: LimitName, outcome: Outcome) -> Outcome:
    """Return an outcome that names the limit as the page does, not as a setting."""
    text = outcome.text.replace(f"{name} is ", f"{LABELS[name]}: ", 1)
    return replace(outcome, text=text)
