"""Export: the numbers of the last 24 hours as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils import timezone

from ai_model.pool.status import PoolStatus
from apps.ai_pool.actions.action import Action, Outcome, counted
from apps.ai_pool.actions.export import ExportFormat, export_name, export_text, read_samples


class ExportForm(forms.Form):
    """Which kind of file."""

    form = forms.ChoiceField(
        label="Format",
        choices=[("csv", "CSV, for a spreadsheet"), ("json", "JSON, for a program")],
        widget=forms.RadioSelect,
        initial="csv",
    )


class ExportAction(Action):
    """Changes nothing, but numbers leave the site, so it is noted who took them."""

    name = "export"
    label = title = "Export the last 24 hours"
    verb = "Download"
    permission = "export_pool"
    needs_pool = False
    form_class = ExportForm

    def effects(self, status: PoolStatus) -> list[str]:
        """How much there is."""
        num_minutes = len(read_samples(timezone.now()))
        return [
            f"{counted(num_minutes, 'minute')} of the pool's history, one line each: counts, "
            "times, speeds and memory. No names and no texts.",
            "Nothing is changed.",
        ]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Write the file."""
        now, form = timezone.now(), ExportFormat(values["form"])
        samples = read_samples(now)
        answer = HttpResponse(export_text(samples, form), content_type=form.content_type)
        name = export_name(now, form)
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        answer["Cache-Control"] = "no-store"
        text = f"{counted(len(samples), 'minute')} of numbers were exported as {form.upper()}."
        return Outcome(text=text, download=answer)
