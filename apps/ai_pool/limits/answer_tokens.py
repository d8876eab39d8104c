"""How many tokens are taken for an answer before anybody knows how long it gets."""

from __future__ import annotations

from django.conf import settings

LONGEST_ANSWER = 512
"""Tokens that no profile's answer exceeds."""


def answer_tokens() -> int:
    """Return the tokens of the longest answer there can be."""
    return int(settings.CORRAL_MAX_TOKENS) or LONGEST_ANSWER
