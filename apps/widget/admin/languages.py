"""Languages an owner can write texts in: all that Django knows by name."""

from __future__ import annotations

from django.conf.locale import LANG_INFO


def language_choices() -> list[tuple[str, str]]:
    """Code and name, ordered by name."""
    known = {code: info["name"] for code, info in LANG_INFO.items() if "name" in info}
    return sorted(known.items(), key=lambda item: item[1])
