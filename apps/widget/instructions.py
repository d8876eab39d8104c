"""What a site tells the model about its task: counted, versioned, restorable."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.widget.errors import InstructionsTooLong
from apps.widget.models import Instructions, Site
from apps.widget.models.instructions import MAX_TOKENS
from apps.widget.token_count import TokenCount, count_tokens

MAX_CHARS = 4000
MAX_VERSIONS = 50
"""Older ones go, so that a script can not fill the database."""


def current_instructions(site: Site) -> Instructions | None:
    """The version in force, or None when there never was one."""
    return site.instructions.first()


def instructions_of(site: Site) -> str:
    """The text in force; "" for a site without instructions."""
    current = current_instructions(site)
    return current.text if current else ""


def set_instructions(site: Site, text: str, author: Any = None) -> Instructions | None:
    """Put ``text`` in force as a new version; the same text again makes none.

    ``author`` is the member of staff. An empty text switches instructions off. Returns the version
    in force. Raises InstructionsTooLong.
    """
    text = clean_text(text)
    current = current_instructions(site)
    if text == (current.text if current else ""):
        return current
    count = checked_count(text)
    version = Instructions.objects.create(
        site=site, text=text, num_tokens=count.number, author=author
    )
    kept = site.instructions.values_list("pk", flat=True)[:MAX_VERSIONS]
    site.instructions.exclude(pk__in=list(kept)).delete()
    return version


def restore_instructions(site: Site, version_id: int, author: Any = None) -> Instructions | None:
    """Put an earlier version of this site in force again. Raises Instructions.DoesNotExist."""
    return set_instructions(site, site.instructions.get(pk=version_id).text, author)


def clean_text(text: str) -> str:
    """The text as it is stored: one kind of line end, no NUL, no space around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()


def checked_count(text: str) -> TokenCount:
    """How long ``text`` is. Raises InstructionsTooLong beyond the limit."""
    if len(text) > MAX_CHARS:
        raise InstructionsTooLong(f"Instructions have at most {MAX_CHARS:,} characters.")
    count = count_tokens(text)
    if count.number <= MAX_TOKENS:
        return count
    if count.is_exact:
        raise InstructionsTooLong(
            f"These are {count.number} tokens, {count.number - MAX_TOKENS} more than the "
            f"{MAX_TOKENS} that instructions may have."
        )
    raise InstructionsTooLong(
        f"These may be up to {count.number} tokens, and {MAX_TOKENS} are allowed. The model that "
        "would count them exactly can not be asked at this moment: try again when the assistant "
        "runs, or shorten the text."
    )


def whole_prompt(text: str) -> str:
    """The system prompt as the model reads it, with a site's instructions in it."""
    return "\n\n".join(part for part in (settings.CORRAL_SYSTEM_PROMPT.strip(), text) if part)
