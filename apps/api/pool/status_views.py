"""The pool's numbers over REST. Coroutines: the pool is looked at once a second for everybody."""

from __future__ import annotations

from channels.db import database_sync_to_async
from rest_framework.request import Request
from rest_framework.response import Response

from ai_model.pool.status import InstanceStatus, PoolStatus
from ai_model.pool.waiting_request import WaitingRequest
from apps.ai_pool import services
from apps.ai_pool.actions.registry import VIEW_PERMISSION
from apps.ai_pool.lookout import get_lookout
from apps.api.async_view import AsyncView
from apps.api.etag import with_etag
from apps.api.models import ApiKey
from apps.api.openapi.described import Tag, described
from apps.api.pool.record_schema import schema_of
from apps.api.pool.status_serializers import SummarySerializer, summary
from apps.api.scopes import HasScope

NO_STORE = {"Cache-Control": "no-store"}
READS_POOL = HasScope(ApiKey.Scope.POOL_READ, VIEW_PERMISSION)


class PoolView(AsyncView):
    """What the views here share."""

    permission_classes = (READS_POOL,)


class PoolSummary(PoolView):
    """``GET``: how the pool is doing, in a dozen fields."""

    @described(
        "pool_summary",
        "How the pool is doing, in short",
        tag=Tag.POOL,
        response=SummarySerializer,
        text="Cheap to ask again: an unchanged answer is 304 to whoever sends `If-None-Match`.",
    )
    @with_etag
    async def get(self, request: Request) -> Response:
        look = await get_lookout().look()
        return Response(await database_sync_to_async(summary)(look.status))


class PoolReport(PoolView):
    """``GET``: everything the pool tells about itself; no text of any visitor."""

    @described(
        "pool_status",
        "Everything the pool tells about itself",
        tag=Tag.POOL,
        response=schema_of(PoolStatus),
        text="Counts are since the start of the pool process. No text of any visitor is in it.",
    )
    async def get(self, request: Request) -> Response:
        look = await get_lookout().look()
        return Response(services.staff_form(look.status), headers=NO_STORE)


class InstanceList(PoolView):
    """``GET``: what each instance does."""

    @described(
        "pool_instances",
        "What each instance does",
        tag=Tag.POOL,
        response={
            "type": "object",
            "required": ["results"],
            "properties": {"results": {"type": "array", "items": schema_of(InstanceStatus)}},
        },
    )
    async def get(self, request: Request) -> Response:
        look = await get_lookout().look()
        rows = look.status.to_json()["instances"]
        return Response({"results": rows}, headers=NO_STORE)


class QueueList(PoolView):
    """``GET``: who waits and how long; never what they ask."""

    @described(
        "pool_queue",
        "Who waits in line, the next one first",
        tag=Tag.POOL,
        response={
            "type": "object",
            "required": ["waiting", "places", "results"],
            "properties": {
                "waiting": {"type": "integer"},
                "places": {"type": "integer", "description": "In line, taken or not."},
                "results": {"type": "array", "items": schema_of(WaitingRequest)},
            },
        },
        text="At most 1,000. Who they are is a short name, and what they ask is not told.",
    )
    async def get(self, request: Request) -> Response:
        look = await get_lookout().look(with_line=True)
        body = {
            "waiting": look.status.num_waiting,
            "places": look.status.queue_size,
            "results": [one.to_json() for one in look.line or ()],
        }
        return Response(body, headers=NO_STORE)
