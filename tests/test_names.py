"""One name for one thing: the product, its settings, its metrics and its checks."""

from __future__ import annotations

import re

from backend.env import SECTIONS, SETTINGS
from tests.project_files import project_files, relative

# Read by the project, but nothing an owner of a site would set.
INTERNAL = {
    "CORRAL_ENV_FILE": "another .env file, or none; tests use it",
    "CORRAL_CHROMIUM": "where the browser of the browser tests is",
    "CORRAL_REQUIRE_AUDIT": "an audit that could not be made is a failure",
    "CORRAL_REQUIRE_BROWSER": "a skipped browser test is a failure",
    "CORRAL_REQUIRE_STORES": "a store that is not installed is a failure",
    "CORRAL_TEST_STORES": "the database and the cache may be filled with anything",
    "CORRAL_SURVIVAL_MODEL": "another model for the tests that kill pools",
    "CORRAL_CHECKS_TOLD": "`serve` tells the server that the checks were shown",
    "CORRAL_SCREENSHOTS": "browser tests write docs/screenshots",
}
SETTING = re.compile(r"\bCORRAL_[A-Z0-9_]*[A-Z0-9]\b")
STRAYS = {
    "the product is called Corral": re.compile(r"\bCoral\b|\bcoral\b|\bCorall\b"),
    "the custom element is <corral-chat>": re.compile(r"<corral-(?!chat\b)[a-z]"),
    "checks are corral.E001 or corral.W001": re.compile(r"""["']corral\.[A-Z]\d{1,2}["']"""),
    "levels are low, medium, high, critical": re.compile(r"pressure[_ ]level[_ ]?[0-9]"),
}
TEXT = (".py", ".md", ".html", ".js", ".css", ".txt", ".in", ".toml", ".sh", ".service", ".example")


def test_settings_named_anywhere_exist() -> None:
    known = {setting.name for setting in SETTINGS} | set(INTERNAL)
    known |= {f"{setting.name}_FILE" for setting in SETTINGS if setting.is_secret}
    unknown = {
        f"{relative(path)}: {name}"
        for path in project_files(*TEXT, "Makefile", "run")
        for name in SETTING.findall(path.read_text(errors="replace"))
        # What a test makes up is called CORRAL_X.
        if name not in known and name != "CORRAL_X"
    }
    assert unknown == set()


def test_our_settings_carry_the_prefix() -> None:
    ours = [setting.name for setting in set(SETTINGS) - set(SECTIONS["Django"])]
    assert all(name.startswith("CORRAL_") for name in ours), ours


def test_no_strays() -> None:
    found = [
        f"{relative(path)}:{number}: {reason}"
        for path in project_files(*TEXT, "Makefile")
        if path.name != "test_names.py"
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        for reason, pattern in STRAYS.items()
        if pattern.search(line)
    ]
    assert found == []


def test_python_files_begin_with_a_docstring() -> None:
    """Every module with code says what it is for."""
    silent = [
        relative(path)
        for path in project_files(".py")
        if "migrations" not in path.parts
        and (text := path.read_text().lstrip())
        and not re.match(r'(#!.*\n)?r?"""', text)
    ]
    assert silent == []
