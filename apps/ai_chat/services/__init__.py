"""The one door to conversations: every rule about them is here, for socket, API, admin, commands.

All functions are synchronous and use the database; from a coroutine call them through
``database_sync_to_async``. They raise ChatError with what the visitor reads. Somebody else's
conversation, message or generation is always ``not_found``.
"""

from __future__ import annotations

from apps.ai_chat.services.answers import can_continue, continue_answer, regenerate
from apps.ai_chat.services.branches import select_branch, version_ids, with_versions
from apps.ai_chat.services.conversations import (
    current_messages,
    delete_conversation,
    get_conversation,
    get_message,
    list_conversations,
    mark_read,
    owner_key,
    rename_conversation,
    shown_messages,
)
from apps.ai_chat.services.erasing import (
    Erased,
    erase_load_tests,
    erase_visitor,
    prune_conversations,
    retention_days,
)
from apps.ai_chat.services.export import (
    UnknownVisitor,
    export_chats,
    export_visitor,
    find_visitor_key,
)
from apps.ai_chat.services.feedback import rate_answer
from apps.ai_chat.services.handover import begin_handover
from apps.ai_chat.services.merging import merge_visitors
from apps.ai_chat.services.progress import (
    STALE_AFTER,
    Ending,
    find_answer,
    is_abandoned,
    live_answers,
    save_answer,
    save_progress,
    streaming_answers,
)
from apps.ai_chat.services.prompts import (
    MAX_HISTORY_CHARS,
    MAX_HISTORY_MESSAGES,
    prompt_messages,
    warm_messages,
)
from apps.ai_chat.services.questions import (
    clean_text,
    edit_message,
    is_command,
    send_message,
    title_of,
    was_sent,
)
from apps.ai_chat.services.sent import Sent
from apps.ai_chat.services.welcome import (
    check_welcome,
    is_still_signed_in,
    max_chars_for,
    max_inflight_for,
)

__all__ = [
    "MAX_HISTORY_CHARS",
    "MAX_HISTORY_MESSAGES",
    "STALE_AFTER",
    "Ending",
    "Erased",
    "Sent",
    "UnknownVisitor",
    "begin_handover",
    "can_continue",
    "check_welcome",
    "clean_text",
    "continue_answer",
    "current_messages",
    "delete_conversation",
    "edit_message",
    "erase_load_tests",
    "erase_visitor",
    "export_chats",
    "export_visitor",
    "find_answer",
    "find_visitor_key",
    "get_conversation",
    "get_message",
    "is_abandoned",
    "is_command",
    "is_still_signed_in",
    "list_conversations",
    "live_answers",
    "mark_read",
    "max_chars_for",
    "max_inflight_for",
    "merge_visitors",
    "owner_key",
    "prompt_messages",
    "prune_conversations",
    "rate_answer",
    "regenerate",
    "rename_conversation",
    "save_answer",
    "save_progress",
    "retention_days",
    "select_branch",
    "send_message",
    "shown_messages",
    "streaming_answers",
    "title_of",
    "version_ids",
    "warm_messages",
    "was_sent",
    "with_versions",
]
