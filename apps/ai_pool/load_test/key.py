"""The load-test key: who shows it is a simulated visitor, free of limits, whose data is marked.

Whoever knows the site's SECRET_KEY can sign one that is good for a day, so that a test on the
server itself needs no setting. ``CORRAL_LOAD_TEST_KEY`` is for tests from another machine.
"""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare

HEADER = "X-Corral-Load-Test"
MIN_CHARS = 16
"""A shorter key is none: it could be guessed."""
MAX_AGE_S = 24 * 3600
_SALT = "corral.load_test"
_WORD = "load test"


def load_test_key() -> str:
    """Return the key to show: the setting, or one signed now."""
    key: str = settings.CORRAL_LOAD_TEST_KEY
    return key if len(key) >= MIN_CHARS else signing.TimestampSigner(salt=_SALT).sign(_WORD)


def is_load_test_key(shown: str) -> bool:
    """Whether ``shown`` is a key of this site."""
    key: str = settings.CORRAL_LOAD_TEST_KEY
    if len(key) >= MIN_CHARS and constant_time_compare(shown, key):
        return True
    try:
        return signing.TimestampSigner(salt=_SALT).unsign(shown, max_age=MAX_AGE_S) == _WORD
    except signing.BadSignature:
        return False
