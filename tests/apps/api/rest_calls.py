"""Answers over REST, as a client calls for them: asked, read, and why they were refused."""

from __future__ import annotations

from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.test import AsyncClient

GENERATIONS = "/api/v1/generations/"


async def post(
    client: AsyncClient, address: str, body: Any = None, *, status: int = 202, **options: Any
) -> Any:
    answer = await send(client, address, body, **options)
    assert answer.status_code == status, answer.content
    return answer.json()


async def send(client: AsyncClient, address: str, body: Any = None, **options: Any) -> Any:
    # As the server does it: what a request does in a thread of its own keeps nobody else waiting.
    async with ThreadSensitiveContext():
        return await client.post(address, body or {}, content_type="application/json", **options)


async def ask(client: AsyncClient, text: str = "Hello?", **options: Any) -> Any:
    """Ask; returns the generation."""
    fields = options.pop("fields", {})
    return await post(client, GENERATIONS, {"text": text, **fields}, **options)


async def read(client: AsyncClient, address: str, **headers: str) -> Any:
    answer = await client.get(address, headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def code_of(body: Any) -> str:
    return str(body["error"]["code"])
