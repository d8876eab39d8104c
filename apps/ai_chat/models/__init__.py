"""The tables of the chat."""

from __future__ import annotations

from apps.ai_chat.models.approved_answer import ApprovedAnswer, ApprovedQuestion
from apps.ai_chat.models.conversation import Conversation
from apps.ai_chat.models.feedback import Feedback
from apps.ai_chat.models.message import Message

__all__ = ["ApprovedAnswer", "ApprovedQuestion", "Conversation", "Feedback", "Message"]
