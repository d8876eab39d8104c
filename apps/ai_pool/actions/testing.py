"""Self-test: ask the model a fixed question and compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from ai_model.pool.status import PoolStatus
from apps.ai_pool.actions.action import Action, Outcome
from apps.ai_pool.actions.self_test import NUM_TOKENS, QUESTION, run_self_test


class SelfTestForm(forms.Form):
    """Whether later runs are compared with this one."""

    is_new_baseline = forms.BooleanField(
        label="Compare later tests with this one",
        required=False,
        help_text="After an upgrade that is meant to change answers or speed.",
    )


class SelfTestAction(Action):
    """Its result stands on the pool's page until the next one."""

    name = "selftest"
    label = title = "Run the self-test"
    verb = "Run the test"
    permission = "test_pool"
    twin = "manage.py pool selftest"
    form_class = SelfTestForm

    def effects(self, status: PoolStatus) -> list[str]:
        """One short answer."""
        effects = [
            f"The model is asked \u201c{QUESTION}\u201d, always in the same way, and writes "
            f"{NUM_TOKENS} tokens at most. That takes a few seconds of one instance.",
            "Text and speed are compared with the first run of this model.",
        ]
        if status.num_running or status.num_waiting:
            effects.append(
                f"{status.num_running} run and {status.num_waiting} wait now: the test may wait as "
                "well, and a difference in text or speed then proves nothing."
            )
        return effects

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Ask and compare."""
        result = run_self_test(is_new_baseline=values["is_new_baseline"])
        return Outcome(text=f"Self-test: {result.sentence}", is_done=result.is_ok)
