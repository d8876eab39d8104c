"""The table of system checks is the truth: no check without a row, no row without a check."""

from __future__ import annotations

import re

import pytest

from apps.ai_pool.check_table import CHECKS, DJANGOS_OWN, checks_markdown
from backend.env import BASE_DIR, SETTINGS, read_settings
from backend.setting import WRONG_VALUE_ID
from tests.project_files import ROOT

SOURCES = (*(ROOT / "apps").rglob("*.py"), *(ROOT / "backend").rglob("*.py"))
GIVEN = re.compile(r"(?:id=|Advice\(|WRONG_VALUE_ID = )\"(corral\.[EW]\d{3})\"")


def test_every_id_that_is_given_stands_in_the_table_once() -> None:
    given = {id for path in SOURCES for id in GIVEN.findall(path.read_text())}
    listed = [check.id for check in CHECKS]
    assert len(given) > 30
    assert given == set(listed) and len(listed) == len(set(listed))


def test_rows_name_settings_that_exist() -> None:
    names = {setting.name for setting in SETTINGS}
    assert {name for check in CHECKS for name in check.settings} <= names
    assert set(DJANGOS_OWN) <= names


def test_every_setting_that_can_be_wrong_is_looked_at() -> None:
    looked_at = {name for check in CHECKS for name in check.settings} | set(DJANGOS_OWN)
    assert {setting.name for setting in SETTINGS} - looked_at == set()
    assert "nothing can be wrong" not in checks_markdown()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_value_of_the_wrong_kind_is_told_with_its_id(setting) -> None:  # type: ignore[no-untyped-def]
    is_listed = setting.name in next(c for c in CHECKS if c.id == WRONG_VALUE_ID).settings
    if not setting.can_be_wrong:
        assert read_settings({setting.name: "x"})
        return
    assert is_listed
    with pytest.raises(Exception, match=rf"{setting.name} must .*{WRONG_VALUE_ID}"):
        read_settings({setting.name: "\N{PILE OF POO}"})


def test_the_page_is_up_to_date() -> None:
    page = (BASE_DIR / "docs" / "checks.md").read_text()
    assert page == checks_markdown(), "run `manage.py checks_table --write`"
