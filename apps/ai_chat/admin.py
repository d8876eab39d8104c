"""The admin's view of conversations: read-only, and without content unless that is permitted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from apps.ai_chat.approved_admin import ApproveLink, may_approve
from apps.ai_chat.models import Conversation, Message

HIDDEN = "(hidden)"
CONTENT = {"text", "title", "visitor", "cid"}
NUMBERS = (
    "state",
    "reason",
    "error_code",
    "num_prompt_tokens",
    "num_cached_tokens",
    "num_completion_tokens",
    "num_trimmed_turns",
    "queue_ms",
    "ttft_ms",
    "gen_ms",
    "tok_s",
)


def may_read(request: HttpRequest) -> bool:
    """True if this user may read what visitors wrote."""
    return request.user.has_perm("ai_chat.view_content")


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows rows and changes nothing; deleting whole conversations is left to those permitted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Filtering by a text in the address bar would answer what it contains.
        if lookup.split("__")[0] in CONTENT and not may_read(request):
            return False
        return super().lookup_allowed(lookup, value, request)


class MessageInline(ApproveLink, admin.TabularInline):  # type: ignore[type-arg]
    """The messages of a conversation, in order."""

    model = Message
    extra = 0
    can_delete = False
    ordering = ("number",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        content = ("text",) if may_read(request) else ("num_chars",)
        approve = ("approve_link",) if may_approve(request) else ()
        return ("number", "role", *content, "state", "num_completion_tokens", "tok_s", *approve)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    @admin.display(description="length")
    def num_chars(self, message: Message) -> str:
        """The size of a text that is not shown."""
        return f"{len(message.text)} characters"


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    """Conversations with their numbers."""

    date_hierarchy = "updated"
    inlines = (MessageInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return super().get_queryset(request).annotate(num_messages=Count("messages"))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        title = ("title",) if may_read(request) else ()
        return ("short_id", *title, "user", "messages_count", "created", "updated")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        title = ("title",) if may_read(request) else ()
        return ("id", *title, "user", "created", "updated")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    @admin.display(description="conversation")
    def short_id(self, conversation: Conversation) -> str:
        """The beginning of the id: enough to tell rows apart."""
        return str(conversation.id)[:8]

    @admin.display(description="messages", ordering="num_messages")
    def messages_count(self, conversation: Conversation) -> int:
        """How many messages it has."""
        return int(getattr(conversation, "num_messages", 0))


@admin.register(Message)
class MessageAdmin(ApproveLink, ReadOnlyAdmin):
    """Messages with their numbers."""

    list_filter = ("role", "state", "error_code")
    date_hierarchy = "created"

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return ("short_id", "role", "created", *NUMBERS)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        text = "text" if may_read(request) else "hidden_text"
        approve = ("approve_link",) if may_approve(request) else ()
        return ("id", "conversation", "role", text, *approve, "created", *NUMBERS)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    @admin.display(description="message")
    def short_id(self, message: Message) -> str:
        """The beginning of the id: enough to tell rows apart."""
        return str(message.id)[:8]

    @admin.display(description="text")
    def hidden_text(self, message: Message) -> str:
        """What those see who may not read content."""
        return f"{HIDDEN} {len(message.text)} characters"
