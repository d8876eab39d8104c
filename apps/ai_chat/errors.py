"""Everything that can go wrong for a visitor: one table for every entrance.

A row says what the visitor reads, the HTTP status of the API, the exit code of the terminal chat
and whether trying again helps. ``docs/protocol.md`` shows the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One row of the table."""

    code: str
    text: str
    """What the visitor reads; ``{name}`` is filled in from the error."""
    http_status: int
    exit_code: int = 1
    is_retryable: bool = False
    close_code: int | None = None
    """The socket is closed with it; None keeps the socket open."""


_ROWS = (
    Problem(
        code="bad_frame", text=_("This message could not be understood ({why})."), http_status=400
    ),
    Problem(code="unknown_type", text=_("There is no message type {type}."), http_status=400),
    Problem(
        code="rate_limited",
        text=_("One moment, that was too fast."),
        http_status=429,
        is_retryable=True,
    ),
    Problem(
        code="store_away",
        http_status=503,
        exit_code=4,
        is_retryable=True,
        text=_("Questions cannot be taken at the moment. Please try again soon."),
    ),
    Problem(code="empty", text=_("Please write something first."), http_status=400),
    Problem(code="too_long", text=_("That's {n} characters over the limit."), http_status=413),
    Problem(
        code="context_full",
        http_status=413,
        text=_("This chat got too long for the model. Start a new one with a short summary?"),
    ),
    Problem(code="not_found", text=_("This is not here (any more)."), http_status=404),
    Problem(code="forbidden", text=_("You may not do that here."), http_status=403),
    Problem(
        code="id_taken",
        text=_("This message could not be sent. Please try again."),
        http_status=409,
    ),
    Problem(code="not_editable", text=_("This can not be changed any more."), http_status=409),
    Problem(
        code="inflight_limit",
        text=_("I'm still on your last question."),
        http_status=429,
        is_retryable=True,
    ),
    Problem(
        code="queue_full",
        http_status=503,
        exit_code=4,
        is_retryable=True,
        text=_(
            "Lots of people are asking right now. Your message is kept, please try again "
            "in a moment."
        ),
    ),
    Problem(
        code="queue_timeout",
        http_status=503,
        exit_code=4,
        is_retryable=True,
        text=_("This waited too long, so I stopped it. Try again?"),
    ),
    Problem(
        code="first_token_timeout",
        http_status=504,
        exit_code=4,
        is_retryable=True,
        text=_("I could not begin in time. Try again, perhaps with a shorter message?"),
    ),
    Problem(
        code="stalled",
        http_status=504,
        exit_code=4,
        is_retryable=True,
        text=_("I got stuck and had to stop. Please try again."),
    ),
    Problem(
        code="deadline",
        http_status=504,
        exit_code=4,
        is_retryable=True,
        text=_("This took too long, here is what I have."),
    ),
    Problem(
        code="paused",
        http_status=503,
        exit_code=4,
        is_retryable=True,
        text=_("The assistant takes a break. Please try again later."),
    ),
    Problem(
        code="no_model", text=_("The assistant has no model yet."), http_status=503, exit_code=3
    ),
    Problem(
        code="model_loading",
        http_status=503,
        exit_code=3,
        is_retryable=True,
        text=_("The model is starting up. Please try again in a moment."),
    ),
    Problem(
        code="pool_lost",
        http_status=503,
        exit_code=3,
        is_retryable=True,
        text=_("The machine answering this stopped. Please try again."),
    ),
    Problem(
        code="interrupted",
        http_status=503,
        exit_code=3,
        is_retryable=True,
        text=_("This answer was interrupted. Please try again."),
    ),
    Problem(
        code="memory_pressure",
        http_status=503,
        exit_code=4,
        is_retryable=True,
        text=_("The server is short of memory and paused new answers."),
    ),
    Problem(
        code="origin_not_allowed",
        http_status=403,
        close_code=4403,
        text=_("This page may not use the chat; its owner can allow it in CSRF_TRUSTED_ORIGINS."),
    ),
    Problem(
        code="unknown_site",
        http_status=404,
        close_code=4404,
        text=_("The chat of this page is not set up correctly: its key is not known here."),
    ),
    Problem(
        code="site_off", http_status=403, text=_("The chat of this page is switched off for now.")
    ),
    Problem(
        code="unauthorised", text=_("Please reload the page."), http_status=401, close_code=4401
    ),
    Problem(
        code="login_ended",
        text=_("You are signed out by now. Please reload the page."),
        http_status=401,
        close_code=4411,
    ),
    Problem(
        code="handover_over",
        text=_("This page is no longer connected to the website's chat. Open it again there."),
        http_status=401,
        close_code=4401,
    ),
    Problem(
        code="moved",
        text=_("You signed in in another tab."),
        http_status=409,
        close_code=4410,
        is_retryable=True,
    ),
    Problem(
        code="no_hello",
        text=_("The first message must be a hello."),
        http_status=400,
        close_code=4401,
    ),
    Problem(
        code="second_hello", text=_("There was a hello already."), http_status=400, close_code=4429
    ),
    Problem(
        code="unsupported_version",
        text=_("Please reload the page, it is too old."),
        http_status=400,
        close_code=4406,
    ),
    Problem(
        code="timeout",
        text=_("The line was silent for too long."),
        http_status=408,
        close_code=4408,
        is_retryable=True,
    ),
    Problem(
        code="replaced",
        text=_("The chat is open in too many tabs."),
        http_status=429,
        close_code=4409,
    ),
    Problem(
        code="malformed",
        text=_("Too many messages could not be understood."),
        http_status=400,
        close_code=4400,
    ),
    Problem(
        code="draining",
        text=_("The server is restarting."),
        http_status=503,
        close_code=4503,
        is_retryable=True,
    ),
    Problem(
        code="internal", text=_("Something broke on our side."), http_status=500, is_retryable=True
    ),
)
PROBLEMS = {row.code: row for row in _ROWS}


class _Details(dict[str, Any]):
    """Fills the gaps of a sentence whose numbers are not known any more."""

    def __missing__(self, key: str) -> str:
        return "some" if key == "n" else "?"


class ChatError(Exception):
    """Something a visitor must be told; ``code`` names the row of the table."""

    def __init__(
        self,
        code: str,
        *,
        retry_after_s: float | None = None,
        words: str = "",
        **details: Any,
    ) -> None:
        """``words`` are read instead of the table's: those of whoever can mend it."""
        super().__init__(code)
        self._words = words
        self.problem = PROBLEMS[code]
        self.retry_after_s = retry_after_s
        self.details = details

    @property
    def code(self) -> str:
        """The stable name of the error."""
        return self.problem.code

    @property
    def text(self) -> str:
        """What the visitor reads."""
        return self._words or self.problem.text.format_map(_Details(self.details))


def visitor_text(code: str, **details: Any) -> str:
    """What a visitor reads for ``code``; an unknown code reads like ``internal``."""
    return ChatError(code if code in PROBLEMS else "internal", **details).text


def is_retryable(code: str) -> bool:
    """True if trying the same again can work."""
    return PROBLEMS[code].is_retryable if code in PROBLEMS else True


def errors_markdown() -> str:
    """The table as it stands in ``docs/protocol.md``."""
    lines = [
        "| code | retry | HTTP | exit | closes with | what the visitor reads |",
        "|---|---|---|---|---|---|",
    ]
    for row in _ROWS:
        retry = "yes" if row.is_retryable else "no"
        closes = str(row.close_code or "")
        lines.append(
            f"| `{row.code}` | {retry} | {row.http_status} | {row.exit_code} | {closes} "
            f"| {row.text} |"
        )
    return "\n".join(lines) + "\n"
