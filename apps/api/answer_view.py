"""What the views of answers share: who asks, what came of it, and how long they want to wait."""

from __future__ import annotations

import uuid

from channels.db import database_sync_to_async
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_chat import services
from apps.ai_chat.entrance import Admission
from apps.ai_chat.errors import PROBLEMS, ChatError
from apps.ai_chat.models import Message
from apps.ai_chat.relay import GenerationRelay
from apps.ai_pool.request_thread import release_thread
from apps.api.admission import admission_of, language_asked
from apps.api.api_keys import PREFIX
from apps.api.asking import Asked, Asking, ask
from apps.api.async_view import AsyncView
from apps.api.bearer import bearer_token
from apps.api.caller import key_of, visitor_of
from apps.api.generation_json import generation_json, generation_url
from apps.api.models import ApiKey
from apps.api.openapi.described import Header
from apps.api.waiting import place_to_wait, wait_asked, wait_for_end

PREFER = Header("Prefer", "`wait`, or `wait=20`: answer when it is finished, or after 20 s.")
WAITING = "202 says where to follow it; 200 has the whole answer, for those who wait."
NO_STORE = {"Cache-Control": "no-store"}


class AnswerView(AsyncView):
    """What the views of answers share: who asks, with the rights of somebody who says ``hello``."""

    admission: Admission
    key: ApiKey | None

    def perform_authentication(self, request: Request) -> None:
        """A program by its key; everybody else as on a socket, also without a token yet."""
        self.key = None
        if (bearer_token(request._request) or "").startswith(PREFIX):
            self.key = key_of(request)
            self.admission = Admission(visitor=visitor_of(request))
        else:
            self.admission = admission_of(request._request)

    def check_throttles(self, request: Request) -> None:
        """Only programs are counted here; nobody else need be looked up a second time."""
        if self.key is not None:
            super().check_throttles(request)

    async def begin(self, request: Request, frame: Asking) -> Response:
        """Ask, wait as long as is wanted, and say where the answer stands."""
        wait_s = wait_asked(request._request)
        asked = await ask(
            self.admission, frame, key=self.key, language=language_asked(request._request)
        )
        has_waited = bool(wait_s) and await self._wait(asked.relay, wait_s)
        row = await self.find(asked.generation)
        if has_waited:
            _raise_failure(row, asked.relay)
        return await self._answer(row, asked, has_waited=has_waited)

    async def find(self, generation: uuid.UUID) -> Message:
        """The answer's row, if it is the visitor's. Raises ``not_found``."""
        find = database_sync_to_async(services.find_answer)
        return await find(visitor=self.admission.visitor, generation=generation)

    async def _wait(self, relay: GenerationRelay | None, wait_s: float) -> bool:
        with place_to_wait(self.admission.visitor.key) as has_place:
            if has_place:
                # Its own thread, with its line to the database, is not needed meanwhile.
                await release_thread()
                await wait_for_end(relay, wait_s)
        return has_place

    async def _answer(self, row: Message, asked: Asked, *, has_waited: bool) -> Response:
        body = await database_sync_to_async(generation_json)(row, asked.relay)
        headers = NO_STORE | {"Location": generation_url(row)}
        if has_waited:
            headers["Preference-Applied"] = "wait"
        status = 202 if row.state == Message.State.STREAMING else 200
        return Response(body | asked.token, status=status, headers=headers)


def _raise_failure(row: Message, relay: GenerationRelay | None) -> None:
    """Who waited for an answer and gets none is told why, in the status too."""
    if row.state != Message.State.FAILED:
        return
    last = relay.log[-1] if relay is not None and relay.log else {}
    code = row.error_code if row.error_code in PROBLEMS else "internal"
    words = str(last.get("text", "")) if code == "paused" else ""
    raise ChatError(code, words=words, retry_after_s=last.get("retry_after_s"))
