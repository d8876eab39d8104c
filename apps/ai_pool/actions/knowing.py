"""Mark as known: bad ends that somebody has looked at need no more attention; and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone

from ai_model.pool.status import PoolStatus
from apps.ai_pool.actions.action import Action, Outcome, Undo, counted
from apps.ai_pool.actions.known_ends import forget_known, known_until, mark_known
from apps.ai_pool.dashboard.attention import read_attention


class EndForm(forms.Form):
    """Which kind of end."""

    code = forms.ChoiceField(label="End", widget=forms.RadioSelect)

    def __init__(self, choices: list[tuple[str, str]], data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        field = self.fields["code"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


class KnownAction(Action):
    """Hides what there is; the next one of the same kind is shown again."""

    name = "known"
    label = "Mark as known"
    title = "Mark bad ends as known"
    verb = "Mark as known"
    permission = "know_ends"
    needs_pool = False
    twin = "manage.py pool known queue_timeout"
    form_class = EndForm

    def is_offered(self, status: PoolStatus) -> bool:
        """Its button stands beside each kind of end."""
        return False

    def make_form(
        self, status: PoolStatus, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """With those of the last day."""
        return EndForm(bad_ends(), data, initial=dict(initial or {}))

    def effects(self, status: PoolStatus) -> list[str]:
        """What goes, and what does not."""
        return [
            "The ends of this kind until now are counted as known and no longer listed as needing "
            "attention. The next one is listed again.",
            "Numbers, plots and metrics stay as they are, and so do the answers themselves.",
        ]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Mark them."""
        code = values["code"]
        mark_known(code, timezone.now())
        undo = Undo(label="Undo", action="unknown", values={"code": code})
        return Outcome(text=f"Ends with {code} until now are known.", undo=undo)


class ForgetKnownAction(Action):
    """Takes a mark back."""

    name = "unknown"
    label = title = "Take back a mark as known"
    verb = "Take it back"
    permission = "know_ends"
    needs_pool = False
    twin = "manage.py pool known queue_timeout --undo"
    form_class = EndForm

    def is_offered(self, status: PoolStatus) -> bool:
        """Only to undo the other one."""
        return False

    def make_form(
        self, status: PoolStatus, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """With those that are marked."""
        marked = [
            (code, f"{code}, until {until:%Y-%m-%d %H:%M} UTC")
            for code, until in sorted(known_until().items())
        ]
        return EndForm(marked, data, initial=dict(initial or {}))

    def effects(self, status: PoolStatus) -> list[str]:
        """They come back."""
        return ["Those of the last 24 hours are listed as needing attention again."]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Forget the mark."""
        code = values["code"]
        forget_known(code)
        undo = Undo(label="Mark them again", action="known", values={"code": code})
        return Outcome(text=f"Ends with {code} need attention again.", undo=undo)


def bad_ends() -> list[tuple[str, str]]:
    """Return the kinds of bad ends of the last day that nobody has marked, as code and label."""
    return [
        (end.code, f"{end.code}: {counted(end.count, 'answer')}")
        for end in read_attention(timezone.now()).ends
    ]
