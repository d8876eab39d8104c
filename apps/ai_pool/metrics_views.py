"""The metrics at /metrics; for others than Prometheus and staff there is nothing there."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.ai_pool import services
from apps.ai_pool.metrics import metrics
from apps.ai_pool.metrics_access import may_read


@never_cache
@require_safe
async def show_metrics(request: HttpRequest) -> HttpResponse:
    """Every number the pool tells, for a look at this moment; never waits for decoding."""
    if not await may_read(request):
        raise Http404
    status = await services.pool_status()
    text, content_type = metrics().render(status, request.headers.get("Accept", ""))
    return HttpResponse(text, content_type=content_type)
