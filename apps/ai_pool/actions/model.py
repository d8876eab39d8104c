"""Switch model: another of those that are in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from ai_model.catalog import CATALOG, DEMO_NAME, DEMO_TITLE
from ai_model.checksums import ChecksumMismatch
from ai_model.model_file import BadModelFile
from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import conf, services
from apps.ai_pool.actions.action import Action, Outcome, outcome_of

WAIT_S = 20.0
"""So long the page waits; a switch may take longer, and goes on then."""


class ModelForm(forms.Form):
    """Which of the models that are here."""

    model = forms.ChoiceField(label="Model", widget=forms.RadioSelect)

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        field = self.fields["model"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = model_choices()


class SwitchModelAction(Action):
    """Waits for running answers; who waits in line keeps the place."""

    name = "model"
    label = "Switch model"
    title = "Answer with another model"
    verb = "Switch"
    permission = "switch_model"
    is_grave = True
    twin = "manage.py pool model Q5_K_M"
    form_class = ModelForm

    def effects(self, status: PoolStatus) -> list[str]:
        """When, and for how long."""
        used = "No model is in use."
        if status.model is not None:
            used = f"{status.model.name} {status.model.quant} answers now.".replace("  ", " ")
        return [
            used,
            f"Running answers finish with it first ({status.num_running} now); then the new one is "
            "read, which takes some seconds.",
            f"Who waits in line keeps the place ({status.num_waiting} now).",
            "It holds until the server restarts; manage.py model use makes it last.",
        ]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Switch, and stay for a while to see it done."""
        try:
            return outcome_of(services.switch_model(values["model"], wait_s=WAIT_S))
        except (BadModelFile, ChecksumMismatch) as error:
            return Outcome(text=str(error), is_done=False)
        except PoolUnavailable:
            now = services.read_status()
            if now.state not in (PoolState.READY, PoolState.LOADING):
                raise
            return Outcome(
                text=f"{values['model']} answers as soon as the running answers have finished."
            )


def model_choices() -> list[tuple[str, str]]:
    """Return the models whose files are here, as name and label."""
    store = conf.model_store()
    choices = [
        (entry.quant, f"{entry.name} {entry.quant}")
        for entry in CATALOG
        if store.find(entry) is not None
    ]
    if store.demo_path.is_file():
        choices.append((DEMO_NAME, DEMO_TITLE))
    try:
        chosen = conf.chosen_model().path
    except ValueError:
        return choices
    names = {entry.filename for entry in CATALOG} | {store.demo_path.name}
    if chosen.is_file() and chosen.name not in names:
        choices.append((str(chosen), store.show(chosen)))
    return choices
