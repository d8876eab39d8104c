"""The load-test key: the setting, or one signed with the site's secret."""

from __future__ import annotations

from pytest_django import Settings

from apps.ai_pool.load_test.key import is_load_test_key, load_test_key


def test_a_signed_key_needs_no_setting_and_only_works_here(settings: Settings) -> None:
    settings.CORRAL_LOAD_TEST_KEY = ""
    key = load_test_key()
    assert is_load_test_key(key)
    assert not is_load_test_key(key[:-1] + ("A" if key[-1] != "A" else "B"))
    settings.SECRET_KEY = "another" * 10
    assert not is_load_test_key(key)


def test_the_setting_counts_when_it_is_long_enough(settings: Settings) -> None:
    settings.CORRAL_LOAD_TEST_KEY = "k" * 16
    assert load_test_key() == "k" * 16
    assert is_load_test_key("k" * 16)
    assert not is_load_test_key("k" * 15)
    settings.CORRAL_LOAD_TEST_KEY = "short"
    assert not is_load_test_key("short")
    settings.CORRAL_LOAD_TEST_KEY = ""
    assert not is_load_test_key("")
