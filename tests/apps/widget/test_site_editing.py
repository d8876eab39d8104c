"""Sites changed by programs: what they may change, all of it or nothing."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.widget import site_editing
from apps.widget.errors import UnknownSite
from apps.widget.models import Site

pytestmark = pytest.mark.django_db


def test_only_what_is_named_is_stored() -> None:
    site = Site.objects.create(name="Shop", logo=b"x" * 30_000)
    Site.objects.filter(pk=site.pk).update(contact="a@example.org")
    found = site_editing.get_site(site.key)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        site_editing.change_site(found, name="Shoes", theme="dark")
    assert not any("logo" in query["sql"] for query in queries), "32 KB nobody asked for"
    site.refresh_from_db()
    assert (site.name, site.theme, site.contact) == ("Shoes", "dark", "a@example.org")


def test_refused() -> None:
    site = Site.objects.create(name="Shop")
    with pytest.raises(ValidationError):
        site_editing.change_site(site, name="Shoes", retention_days=0)
    with pytest.raises(ValueError, match="identity_secret"):
        site_editing.change_site(site, identity_secret="x")
    assert Site.objects.get().name == "Shop"
    with pytest.raises(UnknownSite):
        site_editing.get_site("site_no")
