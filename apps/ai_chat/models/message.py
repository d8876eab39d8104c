"""A question, or the answer to one."""

from __future__ import annotations

import uuid

from django.db import models

from apps.ai_chat.models.conversation import Conversation


class Message(models.Model):
    """A question, or the answer to one (which may still be in the making)."""

    class Role(models.TextChoices):
        USER = "user", "visitor"
        ASSISTANT = "assistant", "assistant"

    class State(models.TextChoices):
        COMPLETE = "complete", "complete"
        STREAMING = "streaming", "in the making"
        INTERRUPTED = "interrupted", "interrupted"
        STOPPED = "stopped", "stopped by the visitor"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages"
    )
    number = models.PositiveIntegerField(help_text="Place in the conversation, from 1.")
    role = models.CharField(max_length=10, choices=Role)
    text = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.COMPLETE)
    question = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="answers",
        help_text="The message an answer belongs to.",
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="children",
        help_text="The message before it; siblings are versions of one another.",
    )
    is_current = models.BooleanField(
        default=True, help_text="False for what stands on a branch that is not shown."
    )
    is_command = models.BooleanField(
        default=False, help_text="Such as /pool: never shown to the model."
    )
    visitor = models.CharField(max_length=64, blank=True, help_text="Who wrote it.")
    cid = models.UUIDField(null=True, blank=True, help_text="Id the visitor's browser chose.")
    generation = models.UUIDField(null=True, blank=True, unique=True)
    reason = models.CharField(max_length=20, blank=True, help_text="How the answer ended.")
    error_code = models.CharField(max_length=32, blank=True)
    quality = models.CharField(
        max_length=8, blank=True, help_text="full, or reduced to save memory; empty: unknown."
    )
    context = models.JSONField(
        default=dict, blank=True, help_text="What the page told about itself with a question."
    )
    """Names and values in pairs, for ``dict``: PostgreSQL orders an object's anew."""
    approved_answer = models.ForeignKey(
        "ai_chat.ApprovedAnswer",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="messages",
        help_text="The answer staff had approved, given instead of the model's.",
    )
    suggestions = models.JSONField(
        default=list, blank=True, help_text="Questions offered as 'Did you mean ...?'."
    )
    num_trimmed_turns = models.PositiveIntegerField(default=0)
    num_prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    num_cached_tokens = models.PositiveIntegerField(null=True, blank=True)
    num_completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    queue_ms = models.PositiveIntegerField(null=True, blank=True)
    ttft_ms = models.PositiveIntegerField(null=True, blank=True)
    gen_ms = models.PositiveIntegerField(null=True, blank=True)
    tok_s = models.FloatField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    beat = models.DateTimeField(
        null=True, blank=True, help_text="Last sign of life of the process that makes the answer."
    )

    class Meta:
        ordering = ("conversation", "number")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "number"], name="message_place"),
            models.UniqueConstraint(fields=["visitor", "cid"], name="message_sent_once"),
        ]
        indexes = [
            models.Index(
                fields=["state"],
                condition=models.Q(state="streaming"),
                name="message_streaming",
            ),
            # What happened in the last hours is asked for by the operator's page all the time.
            models.Index(fields=["created"], name="message_created"),
        ]

    def __str__(self) -> str:
        return f"{self.role} message {str(self.id)[:8]}"
