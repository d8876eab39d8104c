"""The addresses under ``/v1/``."""

from __future__ import annotations

from django.urls import path

from apps.api.openai import views

app_name = "openai"
urlpatterns = [
    path("models", views.models, name="models"),
    path("models/<str:name>", views.model, name="model"),
    path("chat/completions", views.chat_completions, name="chat-completions"),
    path("completions", views.completions, name="completions"),
    path("<path:rest>", views.not_found, name="nothing"),
]
