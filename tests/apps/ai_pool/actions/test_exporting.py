"""The last day of the pool as a file."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.ai_pool.models import PoolHistory
from tests.apps.ai_pool.actions.operating import (
    address,
    client_of,
    noted,
)
from tests.apps.ai_pool.conftest import ScriptedPool

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_last_day_as_a_file(form: str, pool: ScriptedPool) -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    for age in (timedelta(hours=25), timedelta(hours=23), timedelta(minutes=2)):
        PoolHistory.objects.create(
            resolution_s=60,
            start=now - age,
            unix_s=(now - age).timestamp(),
            num_samples=6,
            num_accepted=7,
        )
    client = client_of("export_pool")
    assert "2 minutes of the pool" in client.get(address("export")).content.decode()
    answer = client.post(address("export"), {"form": form})
    assert answer["Content-Disposition"].endswith(f'.{form}"')
    text = answer.content.decode()
    if form == "json":
        rows = json.loads(text)
        assert [row["num_accepted"] for row in rows] == [7, 7] and rows[0]["at"] < rows[1]["at"]
    else:
        head, *lines = text.splitlines()
        assert head.startswith("at,unix_s,seconds") and len(lines) == 2
    assert noted() == [f"2 minutes of numbers were exported as {form.upper()}."]
