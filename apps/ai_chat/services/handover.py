"""Going on with a website's chat on our own page."""

from __future__ import annotations

import uuid

from apps.ai_chat.errors import ChatError
from apps.ai_chat.services.conversations import get_conversation, list_conversations
from apps.ai_chat.visitor import Visitor
from apps.widget import services as sites
from apps.widget.models import Site


def begin_handover(
    *, visitor: Visitor, has_token: bool, conversation_id: uuid.UUID | None = None
) -> str:
    """A code that opens our page as this visitor of a website, once.

    ``forbidden`` on our own page, to a page that came by a code itself, where the owner offers no
    full page, and to somebody who has not yet agreed to what the owner asks agreement for.
    """
    site = Site.objects.defer("logo").filter(pk=visitor.site_id).first()
    if site is None or not has_token or not site.full_page:
        raise ChatError("forbidden")
    # Whoever has written has agreed; the page has no place to ask.
    if site.needs_consent and not list_conversations(visitor=visitor).exists():
        raise ChatError("forbidden")
    if conversation_id is not None:
        get_conversation(visitor=visitor, conversation_id=conversation_id)
    return sites.begin_handover(
        site=site,
        visitor_key=visitor.key,
        conversation_id=conversation_id,
        rights_end=visitor.rights_end,
    )
