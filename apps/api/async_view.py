"""A view of the REST framework whose methods are coroutines: who waits for an answer holds no
thread."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.negotiation import DefaultContentNegotiation

from apps.api.rest_view import RestView


class FirstRenderer(DefaultContentNegotiation):
    """JSON whatever is asked for: who reads events asks for those, and gets its errors as JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        """The first one."""
        return renderers[0], renderers[0].media_type


class AsyncView(RestView):
    """All its methods must be coroutines. Who it is is found out in a thread, which the database
    needs; the rest is as everywhere."""

    content_negotiation_class = FirstRenderer

    async def dispatch(  # type: ignore[override]
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """As the REST framework does it, with the method awaited."""
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            await database_sync_to_async(self.initial)(self.request, *args, **kwargs)
            response = await self._method()(self.request, *args, **kwargs)
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        return self.response

    def _method(self) -> Any:
        name = (self.request.method or "").lower()
        handler = getattr(self, name, None) if name in self.http_method_names else None
        return handler or self._not_allowed

    async def options(  # type: ignore[override]
        self, request: Any, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """What the methods are."""
        return super().options(request, *args, **kwargs)

    async def _not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.http_method_not_allowed(request, *args, **kwargs)
