"""The address of the chat socket."""

from __future__ import annotations

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path, re_path

from apps.ai_chat.consumers import ChatConsumer


class NoSuchSocket(AsyncWebsocketConsumer):
    """Refuses every other address; without it each of them is a traceback in the log."""

    async def connect(self) -> None:
        await self.close()


websocket_urlpatterns = [
    path("ws/chat/", ChatConsumer.as_asgi()),
    re_path(r"", NoSuchSocket.as_asgi()),
]
