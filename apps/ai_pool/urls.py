"""Addresses of the status page and the health probes."""

from __future__ import annotations

from django.urls import path

from apps.ai_pool import views

app_name = "ai_pool"
urlpatterns = [
    path("pool/", views.pool, name="pool"),
    path("health/live", views.health_live, name="health-live"),
    path("health/ready", views.health_ready, name="health-ready"),
    path("health/assistant", views.health_assistant, name="health-assistant"),
]
