"""The addresses of the chat page."""

from __future__ import annotations

from django.urls import path

from apps.ai_chat import views

app_name = "ai_chat"
urlpatterns = [
    path("", views.chat_page, name="page"),
    path("handover/", views.handover, name="handover"),
]
