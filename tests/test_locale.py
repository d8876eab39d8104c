"""The catalogs: complete, compiled, and made from the texts that stand in the code."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import polib
import pytest
from django.conf import settings

from tests.project_files import ROOT, project_files

LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
CATALOGS = [
    ROOT / "locale" / code / "LC_MESSAGES" / f"{domain}.po"
    for code in LANGUAGES
    for domain in ("django", "djangojs")
]
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}")
# These forms say their number in words.
WORDED = {"zero", "one", "two"}

catalogs = pytest.mark.parametrize(
    "path", CATALOGS, ids=lambda path: f"{path.parts[-3]}-{path.stem}"
)


def texts_of(file: polib.POFile | polib.MOFile) -> dict[str, object]:
    return {
        entry.msgid: list(entry.msgstr_plural.values()) or entry.msgstr
        for entry in file
        if not entry.obsolete
    }


def keys_of(file: polib.POFile) -> set[tuple[str, str]]:
    return {(entry.msgid, entry.msgid_plural) for entry in file if not entry.obsolete}


@catalogs
def test_every_text_is_translated(path: Path) -> None:
    catalog = polib.pofile(str(path))
    assert len(catalog) > 20
    assert [entry.msgid for entry in catalog if not entry.translated()] == []
    assert [entry.msgid for entry in catalog if entry.fuzzy or entry.obsolete] == []


@catalogs
def test_translations_have_the_same_places(path: Path) -> None:
    from apps.widget.texts import plural_names

    names = plural_names(path.parts[-3])
    for entry in polib.pofile(str(path)):
        wanted = set(PLACES.findall(entry.msgid))
        if not entry.msgid_plural:
            assert set(PLACES.findall(entry.msgstr)) == wanted, entry.msgid
            continue
        assert len(entry.msgstr_plural) == len(names), entry.msgid
        for index, text in entry.msgstr_plural.items():
            places = set(PLACES.findall(text))
            least = wanted - {"%(n)s"} if names[index] in WORDED else wanted
            assert least <= places <= wanted, text


@catalogs
def test_compiled_catalog_says_the_same(path: Path) -> None:
    """`sh deploy/make/texts.sh compile` was run after the last change."""
    compiled = polib.mofile(str(path.with_suffix(".mo")))
    assert texts_of(compiled) == texts_of(polib.pofile(str(path)))


def test_all_languages_have_the_same_texts() -> None:
    for domain in ("django", "djangojs"):
        found = [keys_of(polib.pofile(str(path))) for path in CATALOGS if path.stem == domain]
        assert all(keys == found[0] for keys in found)


def test_a_text_of_a_script_is_one_literal() -> None:
    """The widget's catalog is cut by looking for the literal, so no text is put together."""
    scripts = "".join(path.read_text() for path in project_files(".js", below="apps"))
    scripts = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), scripts)
    for entry in polib.pofile(str(CATALOGS[1])):
        for text in filter(None, (entry.msgid, entry.msgid_plural)):
            assert '"' + text.replace('"', '\\"') + '"' in scripts, text


@pytest.mark.skipif(not shutil.which("xgettext"), reason="gettext is not installed")
def test_extraction_finds_nothing_new(tmp_path: Path) -> None:
    """`sh deploy/make/texts.sh` was run after the last change of a text."""
    for name in ("apps", "locale"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.pyc"))
    done = subprocess.run(
        ["sh", ROOT / "deploy/make/texts.sh"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    for path in CATALOGS:
        extracted = polib.pofile(str(tmp_path / path.relative_to(ROOT)))
        assert keys_of(extracted) == keys_of(polib.pofile(str(path)))
