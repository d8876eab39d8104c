"""The last hour of one number, as small as a word."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.ai_pool.dashboard.path import HEIGHT, WIDTH, Values, area, line
from apps.ai_pool.dashboard.unit import clean


def sparkline(values: Values) -> SafeString:
    """Return an SVG without a word in it: the card says what it is. Empty without two values."""
    known = [number for value in values if (number := clean(value)) is not None]
    if len(known) < 2:
        return SafeString("")
    top = (max(known) or 1.0) * 1.1
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" '
        'focusable="false"><path class="spark-area" d="{}"/><path class="spark-line" d="{}"/>'
        "</svg>",
        int(WIDTH),
        int(HEIGHT),
        area(values, top),
        line(values, top),
    )
