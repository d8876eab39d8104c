"""Codes that take a visitor of a website to our own page: they work once, within a minute.

Only a hash of a code is stored. Using one deletes its row in the statement that looks for it, so
that of two who show the same code one is refused, in whichever process they are.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.widget.errors import HandoverOver
from apps.widget.models import Handover, Site

LIFETIME_S = 60
MAX_CODE_CHARS = 64


@transaction.atomic
def begin_handover(
    *,
    site: Site,
    visitor_key: str,
    conversation_id: uuid.UUID | None = None,
    rights_end: float | None = None,
) -> str:
    """A new code for this visitor; an earlier one ends. ``rights_end``: epoch seconds."""
    now = timezone.now()
    Handover.objects.filter(visitor=visitor_key).delete()
    forget_old_handovers()
    code = secrets.token_urlsafe(32)
    Handover.objects.create(
        digest=_digest(code),
        site=site,
        visitor=visitor_key,
        conversation=conversation_id,
        rights_end=None if rights_end is None else datetime.fromtimestamp(rights_end, UTC),
        expires=now + timedelta(seconds=LIFETIME_S),
    )
    return code


def finish_handover(code: str) -> Handover:
    """Use a code. Raises HandoverOver for one that is used, too old or none of ours."""
    if not 0 < len(code) <= MAX_CODE_CHARS:
        raise HandoverOver
    with transaction.atomic():
        # Found and gone in one transaction; whoever deletes the row has used the code.
        rows = Handover.objects.filter(digest=_digest(code), expires__gt=timezone.now())
        found = rows.select_related("site").first()
        if found is None or not rows.filter(pk=found.pk).delete()[0]:
            raise HandoverOver
    return found


def forget_old_handovers() -> int:
    """Delete codes nobody used; returns how many."""
    return Handover.objects.filter(expires__lte=timezone.now()).delete()[0]


def _digest(code: str) -> str:
    # The code is random, so a plain hash cannot be turned back.
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
