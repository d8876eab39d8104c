"""The addresses of the sockets."""

from __future__ import annotations

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path, re_path

from apps.ai_chat.consumers import ChatConsumer
from apps.ai_chat.origin import is_own_page
from apps.ai_pool.consumers import PoolConsumer


class NoSuchSocket(AsyncWebsocketConsumer):
    """Refuses every other address; without it each of them is a traceback in the log."""

    async def connect(self) -> None:
        await self.close()


websocket_urlpatterns = [
    path("ws/chat/", ChatConsumer.as_asgi()),
    path("ws/pool", PoolConsumer.as_asgi(is_own_page=is_own_page)),
    re_path(r"", NoSuchSocket.as_asgi()),
]
