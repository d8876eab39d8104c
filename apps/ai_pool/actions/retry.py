"""Retry: have answers that failed made again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool.actions.action import Action, Outcome, counted
from apps.ai_pool.actions.knowing import EndForm, bad_ends
from apps.ai_pool.dashboard.attention import read_failed

MAX_RETRIED = 20
"""More at once would fill the line that living visitors stand in."""


class RetryAction(Action):
    """For after an outage: whoever comes back finds an answer."""

    name = "retry"
    label = "Retry"
    title = "Have failed answers made again"
    verb = "Answer again"
    permission = "retry_answer"
    form_class = EndForm

    def is_offered(self, status: PoolStatus) -> bool:
        """Its button stands beside each kind of end."""
        return False

    def make_form(
        self, status: PoolStatus, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """With the kinds of the last day."""
        return EndForm(bad_ends(), data, initial=dict(initial or {}))

    def effects(self, status: PoolStatus) -> list[str]:
        """Whose, how many, in which order."""
        return [
            f"The newest {MAX_RETRIED} answers of this kind from the last 24 hours are made again, "
            "one for each conversation that ended with it. Where the visitor went on since, or "
            "waits for an answer now, nothing is done.",
            "Each waits in line as if its visitor had pressed Retry. The failed answer stays as an "
            "earlier version.",
            f"{counted(status.num_waiting, 'question')} in line now, "
            f"{status.queue_size} places in all.",
        ]

    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Ask again."""
        # The chat stands above the pool; only this order reaches up.
        from apps.ai_chat.second_try import NobodyAnswers, answer_again

        if status.state is not PoolState.READY:
            return Outcome(text="Nothing was done: the pool takes no questions.", is_done=False)
        code = values["code"]
        failed = read_failed(code, timezone.now(), MAX_RETRIED)
        try:
            num_begun = answer_again(failed)
        except NobodyAnswers as error:
            return Outcome(text=str(error), is_done=False)
        text = f"{counted(num_begun, 'answer')} of {len(failed)} that ended with {code}"
        verb = "is" if num_begun == 1 else "are"
        return Outcome(text=f"{text} {verb} made again.", is_done=bool(num_begun))
