"""Which language a visitor gets, and the catalog the browser reads."""

from __future__ import annotations

import json
import shutil
import subprocess

import polib
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from apps.widget.texts import (
    best_language,
    catalog,
    key_of,
    language_codes,
    plural_names,
)
from tests.project_files import ROOT


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_at", "de"),
        ("ar-EG", "ar"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("", "en"),
        (None, "en"),
        (["de"], "en"),
        ("de\n", "en"),
        ("../../de", "en"),
        ("de" * 4000, "en"),
    ],
)
def test_nearest_language(wanted: object, language: str) -> None:
    assert best_language(wanted) == language


def test_default_language_is_the_sites() -> None:
    assert best_language("fr", default="ar") == "ar"
    assert best_language("fr", default="xx") == "en"
    assert best_language("de", default="ar") == "de"


@given(st.one_of(st.text(max_size=40), st.binary(max_size=9), st.integers(), st.none()))
def test_any_wish_gets_an_offered_language(wanted: object) -> None:
    assert best_language(wanted) in language_codes()


def test_catalogs() -> None:
    assert catalog("en") == {
        "language": "en",
        "dir": "ltr",
        "plural": ("one", "other"),
        "messages": {},
    }
    german, arabic = catalog("de"), catalog("ar")
    assert (german["dir"], arabic["dir"]) == ("ltr", "rtl")
    assert german["messages"][key_of("Stopped")] == "Angehalten"
    assert german["messages"].keys() == arabic["messages"].keys()
    assert len(arabic["messages"][key_of("%(n)s character left")]) == 6


def test_no_two_texts_share_a_key() -> None:
    path = settings.LOCALE_PATHS[0] / "de/LC_MESSAGES/djangojs.po"
    texts = [entry.msgid for entry in polib.pofile(str(path))]
    assert len({key_of(text) for text in texts}) == len(texts)


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), min_size=20))
@settings_of(max_examples=5, deadline=None)
def test_keys_are_the_browsers(texts: list[str]) -> None:
    module = (ROOT / "apps/ai_chat/static/ai_chat/js/texts.js").as_uri()
    program = f"""
      const {{ keyOf }} = await import({json.dumps(module)});
      console.log(JSON.stringify({json.dumps(texts)}.map(keyOf)));
    """
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program],
        cwd=ROOT,
        check=True,
        timeout=30,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == [key_of(text) for text in texts]


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.parametrize("language", [code for code in language_codes() if code != "en"])
def test_plural_rule_of_the_catalog_is_the_browsers(language: str) -> None:
    """The catalog's own rule, which is C and so also JavaScript, against Intl.PluralRules."""
    path = settings.LOCALE_PATHS[0] / language / "LC_MESSAGES/djangojs.po"
    header = polib.pofile(str(path)).metadata["Plural-Forms"]
    rule = header.partition("plural=")[2].rstrip(";")
    program = f"""
      const names = {json.dumps(plural_names(language))};
      const rules = new Intl.PluralRules({json.dumps(language)});
      for (let n = 0; n < 1500; n += 1) {{
        if (names[Number({rule})] !== rules.select(n)) throw new Error(String(n));
      }}
    """
    subprocess.run(["node", "-e", program], cwd=ROOT, check=True, timeout=30)
