"""Who answers for what a key changes."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from apps.api.api_keys import create_key
from apps.api.change_log import STAND_IN, owner_of

pytestmark = pytest.mark.django_db


def test_whoever_made_it_or_a_stand_in() -> None:
    mia = User.objects.create_user("mia")
    hers, _ = create_key(name="hers", created_by=mia)
    nobodys, _ = create_key(name="nobody's")
    assert owner_of(hers) == mia
    stand_in = owner_of(nobodys)
    assert owner_of(nobodys) == stand_in and stand_in.username == STAND_IN
    assert not stand_in.is_active and not stand_in.is_staff
    assert not stand_in.has_usable_password()
