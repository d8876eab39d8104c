"""The chat without sockets: frames go by POST, and what an answer says comes as events.

Both are coroutines: who reads an answer for minutes holds no thread.
"""

from __future__ import annotations

import uuid
from typing import Any

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from apps.ai_chat import frames
from apps.ai_chat.errors import ChatError
from apps.ai_chat.generations import get_registry
from apps.ai_chat.session import ChatSession, error_frame
from apps.ai_pool.request_thread import release_thread
from apps.api.admission import admission_of, language_asked
from apps.api.errors import exception_handler
from apps.api.event_stream import EventStream, event_number

ACCEPTED = (
    *(frames.MessageSend, frames.MessageEdit, frames.BranchSelect),
    *(frames.GenRegenerate, frames.GenContinue, frames.GenStop, frames.GenResume),
    *(frames.Read, frames.GiveFeedback, frames.Warm, frames.Ping),
)
"""What makes sense on a line that ends with the answer."""
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


# The CSRF token is asked for where a cookie counts: in VisitorAuthentication.
@csrf_exempt
@require_POST
async def chat_frames(request: HttpRequest) -> HttpResponse:
    """Handle one frame; answers with the list of frames that answer it."""
    language = language_asked(request)
    answers: list[dict[str, Any]] = []
    status, ref = 200, None
    try:
        admission = await database_sync_to_async(admission_of)(request)
        frame = _frame_of(request)
        ref = frame.ref
        registry = get_registry()
        registry.begin_recovery()
        session = ChatSession(admission, answers.append, registry=registry, language=language)
        await session.handle(frame)
    except ChatError as error:
        ref = error.details.get("ref", ref)
        answers.append(error_frame(error, ref, language))
        status = error.problem.http_status
    except Exception as error:
        return _refusal(error)
    return JsonResponse(answers, status=status, safe=False, headers={"Cache-Control": "no-store"})


@require_GET
async def generation_events(request: HttpRequest, generation: uuid.UUID) -> Any:
    """The frames of one answer as server-sent events, behind ``Last-Event-ID``."""
    after = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    try:
        admission = await database_sync_to_async(admission_of)(request)
        stream = EventStream(
            admission,
            generation,
            after=event_number(after),
            language=language_asked(request),
        )
        await stream.check()
    except Exception as error:
        return _refusal(error)
    await release_thread()
    return StreamingHttpResponse(
        stream, content_type="text/event-stream; charset=utf-8", headers=STREAM_HEADERS
    )


def _frame_of(request: HttpRequest) -> frames.Frame:
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        raise ChatError("bad_frame", why="no text", ref=None) from None
    frame = frames.parse_frame(text)
    if not isinstance(frame, ACCEPTED):
        raise ChatError("unknown_type", type=frame.type, ref=frame.ref)
    return frame


def _refusal(error: Exception) -> HttpResponse:
    """An error in the one shape of the API; a defect is Django's to report."""
    described = exception_handler(error, {})
    if described is None:
        raise error
    headers = {name: described[name] for name in ("Retry-After",) if name in described}
    return JsonResponse(described.data, status=described.status_code, headers=headers)
