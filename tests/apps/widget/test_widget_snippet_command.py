"""``manage.py widget_snippet``."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from apps.widget.models import Site

pytestmark = pytest.mark.django_db


def snippet(key: str, **options: Any) -> str:
    out = StringIO()
    call_command("widget_snippet", key, stdout=out, **options)
    return out.getvalue()


def test_everything_to_paste(site: Site) -> None:
    text = snippet(site.key, base="https://chat.example.org/")
    assert f'<script src="https://chat.example.org/w/v1.js" data-site="{site.key}" defer>' in text
    assert 'integrity="sha384-' in text and 'crossorigin="anonymous"' in text
    assert "script-src https://chat.example.org;" in text
    assert "connect-src https://chat.example.org wss://chat.example.org;" in text


def test_base_comes_from_the_settings(site: Site) -> None:
    with override_settings(ALLOWED_HOSTS=["localhost", ".example.net"]):
        assert "https://example.net/w/v1.js" in snippet(site.key)
    with override_settings(ALLOWED_HOSTS=["localhost"]):
        assert "http://127.0.0.1:8000/w/v1.js" in snippet(site.key)


def test_mistakes_are_told(site: Site) -> None:
    with pytest.raises(CommandError, match="no site with the key"):
        snippet("site_unknown")
    with pytest.raises(CommandError, match="scheme"):
        snippet(site.key, base="chat.example.org")
