"""Banner: a sentence for all visitors, shown until it is removed or its time is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from ai_model.pool.status import PoolStatus
from apps.ai_pool.actions.action import Action, Outcome, Undo
from apps.ai_pool.actions.banner import current_banner, remove_banner, show_banner
from apps.ai_pool.actions.records import MAX_BANNER_CHARS

PERIODS = (
    ("", "until it is removed"),
    ("1", "1 hour"),
    ("4", "4 hours"),
    ("24", "1 day"),
    ("168", "7 days"),
)


class BannerForm(forms.Form):
    """What, and how long."""

    text = forms.CharField(
        label="Sentence",
        max_length=MAX_BANNER_CHARS,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text="Plain text, in your visitors' language.",
    )
    hours = forms.TypedChoiceField(
        label="Shown", choices=PERIODS, coerce=float, empty_value=None, required=False
    )


class BannerAction(Action):
    """Works without the pool, so that it can say why there is none."""

    name = "banner"
    label = title = "Show a banner to visitors"
    verb = "Show it"
    permission = "banner_pool"
    is_grave = True
    needs_pool = False
    twin = 'manage.py pool banner "We move on Monday." --hours 24'
    form_class = BannerForm

    def make_form(
        self, status: PoolStatus, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """With what is shown now."""
        shown = current_banner()
        given = {"text": shown.text} if shown else {}
        return super().make_form(status, data, given | dict(initial or {}))

    def effects(self, status: PoolStatus) -> list[str]:
        """Who sees it when."""
        effects = [
            "Every chat page and every widget shows it above the conversation, open ones within "
            "some seconds. Questions are taken as before.",
        ]
        shown = current_banner()
        if shown is not None:
            effects.append(f"It takes the place of: {shown.text}")
        return effects

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Show it."""
        before = current_banner()
        undo = Undo(label="Remove it", action="unbanner")
        if before is not None:
            undo = Undo(label="The former one", action="banner", values={"text": before.text})
        banner = show_banner(values["text"], hours=values["hours"])
        return Outcome(text=f"Visitors see: {banner.text}", undo=undo)


class RemoveBannerAction(Action):
    """Takes it away."""

    name = "unbanner"
    label = title = "Remove the banner"
    verb = "Remove it"
    permission = "banner_pool"
    needs_pool = False
    twin = "manage.py pool banner --remove"

    def is_offered(self, status: PoolStatus) -> bool:
        """Its button stands beside the banner."""
        return False

    def effects(self, status: PoolStatus) -> list[str]:
        """What goes."""
        shown = current_banner()
        return ["No banner is shown." if shown is None else f"Visitors no longer see: {shown.text}"]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Remove it."""
        before = current_banner()
        if not remove_banner() or before is None:
            return Outcome(text="No banner was shown.")
        undo = Undo(label="Show it again", action="banner", values={"text": before.text})
        return Outcome(text=f"Visitors no longer see: {before.text}", undo=undo)
