"""The chat without sockets: frames go by POST; what an answer says comes as events, as all who use
REST get them."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.ai_chat import frames
from apps.ai_chat.banner_watch import banner_text
from apps.ai_chat.error_frame import error_frame
from apps.ai_chat.errors import ChatError
from apps.ai_chat.generations import get_registry
from apps.ai_chat.session import ChatSession
from apps.ai_chat.welcome import welcome_frame
from apps.api.admission import admission_of, language_asked
from apps.api.errors import exception_handler

ACCEPTED = (
    frames.Hello,
    *(frames.MessageSend, frames.MessageEdit, frames.BranchSelect),
    *(frames.GenRegenerate, frames.GenContinue, frames.GenStop, frames.GenResume),
    *(frames.Read, frames.GiveFeedback, frames.Warm, frames.Ping),
)
"""What makes sense on a line that ends with the answer."""
TELLS_BANNER = (frames.MessageSend, frames.Warm)
"""Begins something that is looked at: on a socket a new banner would have come by itself."""


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
        if isinstance(frame, frames.Hello):
            answers.append(await welcome_frame(registry, admission))
        else:
            session = ChatSession(admission, answers.append, registry=registry, language=language)
            await session.handle(frame)
        if isinstance(frame, TELLS_BANNER):
            answers.append({"type": "banner", "text": await banner_text()})
    except ChatError as error:
        ref = error.details.get("ref", ref)
        answers.append(error_frame(error, ref, language))
        status = error.problem.http_status
    except Exception as error:
        return _refusal(error)
    return JsonResponse(answers, status=status, safe=False, headers={"Cache-Control": "no-store"})


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
