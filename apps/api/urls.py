"""The addresses of the API."""

from __future__ import annotations

from django.urls import path

from apps.api import chat_views, handover, privacy, views

app_name = "api"
urlpatterns = [
    path("conversations/", views.ConversationList.as_view(), name="conversations"),
    path(
        "conversations/<uuid:conversation_id>/",
        views.ConversationDetail.as_view(),
        name="conversation",
    ),
    path("chat/frames", chat_views.chat_frames, name="chat-frames"),
    path("gen/<uuid:generation>/events", chat_views.generation_events, name="generation-events"),
    path("visitor", privacy.VisitorDetail.as_view(), name="visitor"),
    path("visitor/handover", handover.VisitorHandover.as_view(), name="visitor-handover"),
    path("visitor/export", privacy.VisitorExport.as_view(), name="visitor-export"),
    path("<path:rest>", views.NotFound.as_view(), name="nothing"),
]
