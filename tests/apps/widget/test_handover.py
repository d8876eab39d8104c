"""Codes that take a visitor from a website to our own page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.widget import services
from apps.widget.errors import HandoverOver
from apps.widget.models import Handover, Site

pytestmark = pytest.mark.django_db


def test_a_code_works_once(site: Site) -> None:
    code = services.begin_handover(site=site, visitor_key="w:1:anna", rights_end=2_000_000_000.0)
    used = services.finish_handover(code)
    assert (used.site, used.visitor, used.conversation) == (site, "w:1:anna", None)
    assert used.rights_end is not None and used.rights_end.timestamp() == 2_000_000_000
    with pytest.raises(HandoverOver):
        services.finish_handover(code)


def test_a_code_works_for_a_minute(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    code = services.begin_handover(site=site, visitor_key="w:1:anna")
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=59))
    row = Handover.objects.get()
    assert row.expires > timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=61))
    with pytest.raises(HandoverOver):
        services.finish_handover(code)
    assert services.forget_old_handovers() == 1


def test_only_a_hash_is_stored_and_a_newer_code_ends_the_older(site: Site) -> None:
    first = services.begin_handover(site=site, visitor_key="w:1:anna")
    second = services.begin_handover(site=site, visitor_key="w:1:anna")
    services.begin_handover(site=site, visitor_key="w:1:bert")
    assert Handover.objects.count() == 2 and first != second
    for row in Handover.objects.values():
        assert second not in str(row)
    with pytest.raises(HandoverOver):
        services.finish_handover(first)
    assert services.finish_handover(second).visitor == "w:1:anna"


@pytest.mark.parametrize("code", ["", "x", "a" * 43, "a" * 65, "\ud800", "ü" * 43])
def test_what_is_no_code(site: Site, code: Any) -> None:
    services.begin_handover(site=site, visitor_key="w:1:anna")
    with pytest.raises(HandoverOver):
        services.finish_handover(code)
    assert Handover.objects.count() == 1
