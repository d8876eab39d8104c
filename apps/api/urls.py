"""The addresses of the API."""

from __future__ import annotations

from django.urls import path, re_path

from apps.api import (
    approved_views,
    chat_views,
    generation_steps,
    generation_views,
    handover,
    message_views,
    privacy,
    site_views,
    views,
)
from apps.api.openapi import views as openapi_views
from apps.api.pool.urls import urlpatterns as pool_urls

CONVERSATION = "conversations/<uuid:conversation_id>/"
MESSAGE = "messages/<uuid:message_id>/"
GENERATION = "generations/<uuid:generation>/"

app_name = "api"
urlpatterns = [
    path("conversations/", views.ConversationList.as_view(), name="conversations"),
    path(CONVERSATION, views.ConversationDetail.as_view(), name="conversation"),
    path(f"{CONVERSATION}messages/", message_views.MessageList.as_view(), name="messages"),
    path(MESSAGE, message_views.MessageDetail.as_view(), name="message"),
    path(f"{MESSAGE}show", message_views.MessageShow.as_view(), name="message-show"),
    path(f"{MESSAGE}feedback", message_views.MessageFeedback.as_view(), name="message-feedback"),
    path("generations/", generation_views.GenerationList.as_view(), name="generations"),
    path(GENERATION, generation_views.GenerationDetail.as_view(), name="generation"),
    path(
        f"{GENERATION}events", generation_views.GenerationEvents.as_view(), name="generation-events"
    ),
    path(f"{GENERATION}stop", generation_steps.GenerationStop.as_view(), name="generation-stop"),
    path(
        f"{GENERATION}regenerate",
        generation_steps.GenerationRegenerate.as_view(),
        name="generation-regenerate",
    ),
    path(
        f"{GENERATION}continue",
        generation_steps.GenerationContinue.as_view(),
        name="generation-continue",
    ),
    path("visitor", privacy.VisitorDetail.as_view(), name="visitor"),
    path("visitor/handover", handover.VisitorHandover.as_view(), name="visitor-handover"),
    path("visitor/export", privacy.VisitorExport.as_view(), name="visitor-export"),
    path("sites/", site_views.SiteList.as_view(), name="sites"),
    path("sites/<str:key>/", site_views.SiteDetail.as_view(), name="site"),
    path("approved-answers/", approved_views.ApprovedAnswerList.as_view(), name="approved-answers"),
    path(
        "approved-answers/<int:answer_id>/",
        approved_views.ApprovedAnswerDetail.as_view(),
        name="approved-answer",
    ),
    *pool_urls,
    path("schema/", openapi_views.schema, name="schema"),
    path("docs/", openapi_views.docs, name="docs"),
    # The line of pages that no socket reaches.
    path("chat/frames", chat_views.chat_frames, name="chat-frames"),
    path(
        "gen/<uuid:generation>/events",
        generation_views.GenerationEvents.as_view(),
        name="gen-events",
    ),
    # Also the root itself, and what has a line break in it, which no converter matches.
    re_path(r"^[\s\S]*\Z", views.NotFound.as_view(), name="nothing"),
]
