"""The browser's texts: which language a visitor gets, and the catalog that goes with it.

The English sentences stand in the scripts themselves, so English has no messages. The others come
from ``locale/<language>/LC_MESSAGES/djangojs.mo``: the page reads them as a catalog (``texts.js``),
the widget's panel is made once for each language.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.translation import get_language_info, get_supported_language_variant
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog

# The forms of a message as the catalogs order them, by the names of Intl.PluralRules.
_TWO_FORMS = ("one", "other")
_PLURALS = {"ar": ("zero", "one", "two", "few", "many", "other")}
_WANTED = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,3}")
_NUM_KEYS = 46_649
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def language_codes() -> tuple[str, ...]:
    """The languages visitors can read, English first."""
    return tuple(code for code, _ in settings.LANGUAGES)


def plural_names(language: str) -> tuple[str, ...]:
    """The forms of a counted text in the order of the catalog."""
    return _PLURALS.get(language, _TWO_FORMS)


def best_language(wanted: object, default: str = "") -> str:
    """The offered language nearest to what a browser or page wants: ``de`` for ``de-AT``.

    ``wanted`` may be anything a stranger sends. Without a match: ``default``, else English.
    """
    if isinstance(wanted, str) and _WANTED.fullmatch(wanted):
        try:
            return get_supported_language_variant(wanted.replace("_", "-").lower())
        except LookupError:
            pass
    return best_language(default) if default else settings.LANGUAGE_CODE


def direction(language: str) -> str:
    """The way a language is written."""
    return "rtl" if get_language_info(language)["bidi"] else "ltr"


def catalog(language: str) -> dict[str, Any]:
    """What ``useCatalog`` of ``texts.js`` takes."""
    return {
        "language": language,
        "dir": direction(language),
        "plural": plural_names(language),
        "messages": {key_of(msgid): text for msgid, text in messages(language).items()},
    }


def key_of(msgid: str) -> str:
    """The short name of a text in a catalog; the same as ``keyOf`` of ``texts.js``."""
    number = 0
    for char in msgid:
        number = (number * 31 + ord(char)) % _NUM_KEYS
    key = ""
    while number:
        number, digit = divmod(number, 36)
        key = _DIGITS[digit] + key
    return key or "0"


@cache
def messages(language: str) -> dict[str, Any]:
    """The sentences by their English; a list for a counted one. Not to be changed."""
    if language == settings.LANGUAGE_CODE:
        return {}
    view = JavaScriptCatalog()
    view.translation = DjangoTranslation(
        language, domain="djangojs", localedirs=settings.LOCALE_PATHS
    )
    found: dict[str, Any] = view.get_catalog()
    return found
