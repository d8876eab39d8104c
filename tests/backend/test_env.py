"""The table of settings: what it reads, what it refuses, and that the documentation shows it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from backend.env import BASE_DIR, SETTINGS, read_settings
from backend.setting import Setting
from backend.settings_page import settings_page


def test_defaults_are_read_from_nothing() -> None:
    values = read_settings({})
    assert values["CORRAL_MAX_INSTANCES"] == 0
    assert values["CORRAL_VAR_DIR"] == Path("var")
    assert values["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert values["DJANGO_ENV"] == "development" and values["DEBUG"] is False


def test_alias_and_its_precedence() -> None:
    assert read_settings({"maxInstances": "7"})["CORRAL_MAX_INSTANCES"] == 7
    both = {"maxInstances": "7", "CORRAL_MAX_INSTANCES": "3"}
    assert read_settings(both)["CORRAL_MAX_INSTANCES"] == 3


def test_empty_means_default() -> None:
    assert read_settings({"CORRAL_TIMEOUT_MS": "  "})["CORRAL_TIMEOUT_MS"] == 120_000


def test_lists_and_booleans() -> None:
    values = read_settings({"ALLOWED_HOSTS": "a.example, b.example,", "CORRAL_AUTOSTART": "Off"})
    assert values["ALLOWED_HOSTS"] == ["a.example", "b.example"]
    assert values["CORRAL_AUTOSTART"] is False


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("CORRAL_MAX_INSTANCES", "many", "must be a whole number, not 'many'"),
        ("CORRAL_MAX_INSTANCES", "-1", "must be at least 0"),
        ("CORRAL_MAX_INSTANCES", "65", "must be at most 64"),
        ("maxInstances", "-3", "maxInstances must be at least 0"),
        ("CORRAL_TEMPERATURE", "nan", "must be at least 0"),
        ("CORRAL_TEMPERATURE", "inf", "must be at most 2"),
        ("CORRAL_TEMPERATURE", "warm", "must be a number"),
        ("CORRAL_AUTOSTART", "perhaps", "must be true or false"),
        ("CORRAL_POOL_MODE", "fiber", "must be one of process, thread"),
        ("DJANGO_ENV", "prod", "must be one of development, production"),
    ],
)
def test_wrong_value_is_named(name: str, text: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        read_settings({name: text})


def test_all_wrong_values_are_named_at_once_with_the_id() -> None:
    wrong = {"CORRAL_MAX_INSTANCES": "many", "CORRAL_TEMPERATURE": "warm", "LOG_LEVEL": "loud"}
    with pytest.raises(ImproperlyConfigured) as caught:
        read_settings(wrong)
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines] == list(wrong)
    assert all(line.endswith("(corral.E030)") for line in lines)


def test_debug_switched_off_by_hand_means_production() -> None:
    assert read_settings({"DEBUG": "false"})["DJANGO_ENV"] == "production"
    assert read_settings({"DEBUG": "0", "DJANGO_ENV": "development"})["DJANGO_ENV"] == "development"
    assert read_settings({"DEBUG": "true"})["DJANGO_ENV"] == "development"


def test_table_is_sound() -> None:
    names = [setting.name for setting in SETTINGS]
    assert len(names) == len(set(names))
    for setting in SETTINGS:
        assert setting.help.endswith("."), setting.name
        # Every default passes its own validation.
        text = setting.default_text
        if text:
            read_back = setting.read({setting.name: text})
            default = list(setting.default) if setting.type is list else setting.default
            assert read_back == default, setting.name


def test_documentation_shows_the_table() -> None:
    page = BASE_DIR / "docs" / "settings.md"
    assert page.read_text() == settings_page(), "run `manage.py settings_table --write`"
    for setting in SETTINGS:
        assert f"`{setting.name}`" in page.read_text()


def test_command_prints_the_table() -> None:
    out = io.StringIO()
    call_command("settings_table", stdout=out)
    assert out.getvalue() == settings_page()


def test_setting_without_alias_ignores_nameless_variables() -> None:
    setting = Setting(name="CORRAL_X", type=str, default="d", help="X.")
    assert setting.read({"": "wrong"}) == "d"


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    """Without the line break at its end; the environment wins, and other settings have none."""
    file = tmp_path / "key"
    file.write_text("from-the-file\n")
    assert read_settings({"SECRET_KEY_FILE": str(file)})["SECRET_KEY"] == "from-the-file"
    both = {"SECRET_KEY_FILE": str(file), "SECRET_KEY": "given"}
    assert read_settings(both)["SECRET_KEY"] == "given"
    file.write_text("one, two\n")
    listed = read_settings({"SECRET_KEY_FALLBACKS_FILE": str(file)})
    assert listed["SECRET_KEY_FALLBACKS"] == ["one", "two"]
    file.write_text("Nobody")
    named = read_settings({"CORRAL_ASSISTANT_NAME" + "_FILE": str(file)})
    assert named["CORRAL_ASSISTANT_NAME"] == "Assistant"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read: No such file"), (b"\xff", "it is no text"), (b"x" * 20_000, "more")],
)
def test_a_file_that_holds_no_secret(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    """Is named with the reason, and nothing of it is shown."""
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match=sentence) as refused:
        read_settings({"SECRET_KEY_FILE": str(file)})
    assert "SECRET_KEY_FILE names" in str(refused.value) and "xxx" not in str(refused.value)
