"""The form by which staff sign in: Django's, with a limit of attempts."""

from __future__ import annotations

import logging
import math
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

from apps.ai_pool.limits.address_block import request_block
from apps.ai_pool.sign_in.attempts import ADDRESS, Attempt, TooManyAttempts, begin_attempt
from apps.ai_pool.sign_in.outcomes import SIGN_INS, SignInOutcome

log = logging.getLogger(__name__)


class SignInForm(AdminAuthenticationForm):
    """Looks at a password only while there are attempts left."""

    def clean(self) -> dict[str, Any]:
        """Let the attempt through or refuse it with the time until the next one."""
        name = self.cleaned_data.get("username")
        if not name or not self.cleaned_data.get("password"):
            return self.cleaned_data  # the fields say what is missing; nothing is tried
        block = "" if self.request is None else request_block(self.request)
        attempt = self._begin(name, block)
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            SIGN_INS.count(SignInOutcome.FAILED)
            # Not the name: some type their password there.
            log.warning("A sign-in from %s failed.", block or "this machine's network")
            raise
        attempt.succeeded()
        SIGN_INS.count(SignInOutcome.DONE)
        return cleaned

    def _begin(self, name: str, block: str) -> Attempt:
        try:
            return begin_attempt(name, block)
        except TooManyAttempts as refusal:
            is_address = refusal.limit == ADDRESS
            SIGN_INS.count(SignInOutcome.ADDRESS if is_address else SignInOutcome.ACCOUNT)
            log.warning(
                "A sign-in from %s was refused: too many attempts %s, for %.0f s.",
                block or "this machine's network",
                "from there" if is_address else "at this account",
                refusal.retry_after_s,
            )
            minutes = max(1, math.ceil(refusal.retry_after_s / 60))
            raise ValidationError(
                ngettext(
                    "Too many attempts to sign in. Try again in %(minutes)d minute.",
                    "Too many attempts to sign in. Try again in %(minutes)d minutes.",
                    minutes,
                )
                % {"minutes": minutes},
                code="too_many_attempts",
            ) from None
