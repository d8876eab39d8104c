"""The site that benchmarks measure is nobody's own."""

from __future__ import annotations

import pytest

from benchmarks.live_site import environment
from tests.live import DEMO_MODEL


def test_the_server_is_told_nothing_of_the_owners_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("CORRAL_MAX_TOK_S", "DJANGO_ENV", "SECRET_KEY", "DATABASE_URL"):
        monkeypatch.setenv(name, "mine")
    directory = tmp_path_factory.mktemp("var")
    values = environment(DEMO_MODEL, directory, 4)
    assert "mine" not in values.values()
    assert values["CORRAL_VAR_DIR"] == str(directory)
    assert values["CORRAL_MAX_INSTANCES"] == "4"
