"""Signing in takes along what was written before."""

from __future__ import annotations

from django.db import transaction

from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.visitor import Visitor


@transaction.atomic
def merge_visitors(*, source: Visitor, target: Visitor) -> int:
    """Give all conversations of ``source`` to ``target``; returns how many.

    Both must be on the same website: a chat never leaves the one it was held on. Idempotent.
    """
    if source.site_id != target.site_id:
        raise ValueError("visitors of two websites are two people")
    if source.key == target.key:
        return 0
    theirs = Message.objects.filter(visitor=source.key)
    known = Message.objects.filter(visitor=target.key).exclude(cid=None)
    # The same id twice in one hand: only sending again needs it, and not after this.
    theirs.filter(cid__in=known.values("cid")).update(cid=None)
    theirs.update(visitor=target.key)
    return Conversation.objects.filter(visitor=source.key).update(
        visitor=target.key, user_id=target.user_id
    )
