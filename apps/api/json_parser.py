"""Reads the body of a request as JSON, within bounds."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

NO_JSON = "The body is no JSON."


class BoundedJSONParser(BaseParser):
    """At most DATA_UPLOAD_MAX_MEMORY_SIZE bytes, which the REST framework's own does not look at.

    Raises RequestDataTooBig, and ParseError for what is no JSON; an absent body is an empty object.
    """

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the value in ``stream``."""
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read() if most is None else stream.read(most + 1)
        if most is not None and len(body) > most:
            raise RequestDataTooBig
        if not body.strip():
            return {}
        try:
            return json.loads(body.decode(), parse_constant=_refuse)
        # Thousands of brackets, and numbers of thousands of digits, are two of the three.
        except (ValueError, RecursionError):
            raise ParseError(NO_JSON) from None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
