"""Models over REST: which there are, and which one answers."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ai_model.pool.status import ModelStatus
from apps.ai_pool import conf
from apps.ai_pool.lookout import get_lookout
from apps.ai_pool.model_rows import model_rows
from apps.api.etag import with_etag
from apps.api.openapi.described import Tag, described
from apps.api.pool.record_schema import schema_of
from apps.api.pool.status_views import NO_STORE, PoolView


class ModelSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A model of the catalog, the demo model, or a file of the owner's own."""

    name = serializers.CharField()
    title = serializers.CharField()
    quant = serializers.CharField(allow_blank=True)
    size_bytes = serializers.IntegerField()
    license = serializers.CharField(allow_blank=True)
    is_here = serializers.BooleanField(help_text="Its file is on this machine.")
    is_used = serializers.BooleanField(
        help_text="It is the one the server starts with; another may have been switched to since."
    )
    is_pinned = serializers.BooleanField(help_text="Its checksum is known, and looked at.")
    note = serializers.CharField(allow_blank=True)


class ModelListSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """All models."""

    problem = serializers.CharField(
        allow_blank=True, help_text="Why the server has no model to start with, in a sentence."
    )
    results: Any = ModelSerializer(many=True)


class ModelList(PoolView):
    """``GET``: the catalog and the files there are."""

    @described(
        "models",
        "The models there are",
        tag=Tag.MODELS,
        response=ModelListSerializer,
        text="The same as `manage.py model list`.",
    )
    @with_etag
    async def get(self, request: Request) -> Response:
        problem, rows = await database_sync_to_async(read_models)()
        return Response({"problem": problem, "results": rows})


class ModelInUse(PoolView):
    """``GET``: the model that answers now."""

    @described(
        "model_in_use",
        "The model that answers now",
        tag=Tag.MODELS,
        response=schema_of(ModelStatus),
        text="404 while none is loaded. `pool/actions/model/` switches to another one.",
    )
    async def get(self, request: Request) -> Response:
        look = await get_lookout().look()
        if look.status.model is None:
            raise Http404
        return Response(look.status.to_json()["model"], headers=NO_STORE)


class ModelDetail(PoolView):
    """``GET``: one model of the list."""

    @described("model", "One model of the list", tag=Tag.MODELS, response=ModelSerializer)
    async def get(self, request: Request, name: str) -> Response:
        _, rows = await database_sync_to_async(read_models)()
        row = next((row for row in rows if row["name"] == name), None)
        if row is None:
            raise Http404
        return Response(row, headers=NO_STORE)


def read_models() -> tuple[str, list[dict[str, Any]]]:
    """Return why no model is chosen, or "", and a row for each model. Reads the file system."""
    store = conf.model_store()
    try:
        chosen, problem = conf.chosen_model().path, ""
    except ValueError as error:
        chosen, problem = None, str(error)
    rows = model_rows(store, chosen)
    return problem, [_shown(row) for row in rows]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Where a file lies is nothing to tell."""
    shown = {name: value for name, value in row.items() if name != "path"}
    return shown | {"is_here": bool(row["path"])}
