"""What was allowed may end."""

from __future__ import annotations

from typing import Any

import pytest

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.visitor import visitor_of_widget
from apps.widget import services as sites
from apps.widget.models import Site
from tests.apps.ai_chat.services.asking import (
    ANNA,
    send,
)

pytestmark = pytest.mark.django_db


ORIGIN = "https://shop.example.org"


@pytest.fixture
def site() -> Site:
    made = Site.objects.create(name="Shop", max_chars=100, max_inflight=1)
    sites.allow_origin(made, ORIGIN)
    return made


def test_switched_off_site_is_read_only(site: Site) -> None:
    anna = visitor_of_widget(site, "a" * 32)
    services.check_welcome(visitor=anna, origin=ORIGIN)
    Site.objects.update(is_on=False)
    with pytest.raises(ChatError, match="site_off"):
        services.check_welcome(visitor=anna, origin=ORIGIN)


def test_origin_that_was_taken_off_the_list(site: Site) -> None:
    anna = visitor_of_widget(site, "a" * 32)
    sites.refuse_origin(site, ORIGIN)
    with pytest.raises(ChatError, match="origin_not_allowed"):
        services.check_welcome(visitor=anna, origin=ORIGIN)


def test_deleted_site(site: Site) -> None:
    anna = visitor_of_widget(site, "a" * 32)
    site.delete()
    with pytest.raises(ChatError, match="unknown_site"):
        services.check_welcome(visitor=anna, origin=ORIGIN)


def test_limits_are_those_of_the_site(site: Site, settings: Any) -> None:
    anna = visitor_of_widget(site, "a" * 32)
    with pytest.raises(ChatError, match="too_long"):
        send("x" * 101, visitor=anna)
    send("x" * 100, visitor=anna)
    with pytest.raises(ChatError, match="inflight_limit"):
        send("Two?", visitor=anna)
    settings.CORRAL_MAX_CHARS = 50
    assert services.max_chars_for(anna) == 50, "never more than the server's own"
    assert services.max_chars_for(ANNA) == services.max_chars_for() == 50
