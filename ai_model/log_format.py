"""How lines of the log look, in the web processes and in the pool process alike.

A record may carry facts besides its sentence: ``log.info("answer ended", extra=facts(gen=...))``.
Facts are ids, times, counts and codes; never what somebody wrote. The id of the request at work is
added by itself.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from ai_model.request_id import current_request_id

PLAIN, JSON = "plain", "json"
_KEY = "corral_facts"
Fact = str | int | float | bool | None


def facts(**values: Fact) -> dict[str, dict[str, Fact]]:
    """Return the ``extra`` of a log call; facts that are None are left out."""
    return {_KEY: {name: value for name, value in values.items() if value is not None}}


class PlainFormatter(logging.Formatter):
    """Lines for people; facts follow the sentence as ``name=value``."""

    def __init__(self) -> None:
        super().__init__(
            "{asctime} {levelname:<7} {name}: {message}", datefmt="%H:%M:%S", style="{"
        )

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """Return the line without traceback."""
        pairs = [f"{name}={_plain(value)}" for name, value in _facts_of(record).items()]
        return " ".join([super().formatMessage(record), *pairs])


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in UTC; facts are fields beside the others."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
        }
        line = {**_facts_of(record), **line}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def formatter(name: str) -> logging.Formatter:
    """Return the formatter that CORRAL_LOG_FORMAT names; an unknown name means plain."""
    return JsonFormatter() if name == JSON else PlainFormatter()


def _facts_of(record: logging.LogRecord) -> Mapping[str, Fact]:
    given = getattr(record, _KEY, None)
    values: Mapping[str, Fact] = given if isinstance(given, dict) else {}
    request_id = current_request_id.get()
    return values if not request_id or "request" in values else {**values, "request": request_id}


def _plain(value: Fact) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    # Codes and ids have no blanks; what should be one and is not must not look like two facts.
    text = str(value)
    return text if text.isprintable() and " " not in text and text else json.dumps(text)
