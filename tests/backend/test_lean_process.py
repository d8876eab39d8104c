"""What the web process does without."""

from __future__ import annotations

import subprocess
import sys

from tests.project_files import ROOT

UNWANTED = (
    *("numpy", "jinja2", "llama_cpp", "jsonschema", "rich", "torch"),
    *("drf_spectacular.openapi", "drf_spectacular.views"),
)
SITE = f"""
import sys, django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
from apps.ai_chat.routing import websocket_urlpatterns
print(*(name for name in {UNWANTED} if name in sys.modules))
"""


def test_what_nobody_uses_there_is_not_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SITE], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
