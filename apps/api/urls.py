"""The addresses of the API."""

from __future__ import annotations

from django.urls import path

from apps.api import views

app_name = "api"
urlpatterns = [
    path("conversations/", views.ConversationList.as_view(), name="conversations"),
    path(
        "conversations/<uuid:conversation_id>/",
        views.ConversationDetail.as_view(),
        name="conversation",
    ),
    path("<path:rest>", views.NotFound.as_view(), name="nothing"),
]
