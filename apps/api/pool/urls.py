"""The addresses of the pool and its models, below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from apps.ai_pool.actions.registry import ACTIONS
from apps.api.pool import action_views, model_views, status_views

pool_urls = [
    path("pool/", status_views.PoolSummary.as_view(), name="pool"),
    path("pool/status/", status_views.PoolReport.as_view(), name="pool-status"),
    path("pool/instances/", status_views.InstanceList.as_view(), name="pool-instances"),
    path("pool/queue/", status_views.QueueList.as_view(), name="pool-queue"),
    path("pool/actions/", action_views.ActionList.as_view(), name="pool-actions"),
    *(
        path(
            f"pool/actions/{action.name}/",
            action_views.action_view(action).as_view(),
            name=f"pool-action-{action.name}",
        )
        for action in ACTIONS
    ),
]
model_urls = [
    path("models/", model_views.ModelList.as_view(), name="models"),
    path("models/in-use/", model_views.ModelInUse.as_view(), name="model-in-use"),
    path("models/<str:name>/", model_views.ModelDetail.as_view(), name="model"),
]
urlpatterns = [*pool_urls, *model_urls]
