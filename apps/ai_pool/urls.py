"""Addresses of the status page, the metrics and the health probes."""

from __future__ import annotations

from django.urls import path

from apps.ai_pool import event_views, metrics_views, views
from apps.ai_pool.doctor.seen import seen

app_name = "ai_pool"
urlpatterns = [
    path("pool/", views.pool, name="pool"),
    path("pool/events", event_views.pool_events, name="pool-events"),
    path("metrics", metrics_views.show_metrics, name="metrics"),
    path("health/live", views.health_live, name="health-live"),
    path("health/ready", views.health_ready, name="health-ready"),
    path("health/seen", seen, name="health-seen"),
    path("health/assistant", views.health_assistant, name="health-assistant"),
    path("health/deep", views.health_deep, name="health-deep"),
]
