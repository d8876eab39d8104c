"""The one door to sites: their origins, visitors' tokens, texts and instructions.

All functions are synchronous and use the database; from a coroutine call them through
``database_sync_to_async``. They raise the errors of ``errors.py``.
"""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction

from apps.widget import refusals
from apps.widget.config import config, max_chars, max_inflight
from apps.widget.errors import BadOrigin, OriginRefused, SiteOff, UnknownSite
from apps.widget.handover import begin_handover, finish_handover, forget_old_handovers
from apps.widget.instructions import (
    current_instructions,
    instructions_of,
    restore_instructions,
    set_instructions,
    whole_prompt,
)
from apps.widget.logo import check_logo
from apps.widget.models import AllowedOrigin, Site
from apps.widget.models.site import new_identity_secret
from apps.widget.origins import (
    FILE_SENTENCE,
    NULL_SENTENCE,
    Origin,
    entries_for,
    parse_entry,
    parse_origin,
)
from apps.widget.user_tokens import WebsiteUser, audience_of, read_user, read_user_jwt
from apps.widget.visitor_tokens import mint_token, new_visitor_id, read_token, site_key_of

__all__ = [
    "WebsiteUser",
    "allow_origin",
    "begin_handover",
    "check_is_on",
    "check_origin",
    "config",
    "current_instructions",
    "find_site",
    "finish_handover",
    "forget_allowed_refusals",
    "forget_old_handovers",
    "instructions_of",
    "is_origin_allowed",
    "max_chars",
    "max_inflight",
    "mint_token",
    "new_visitor_id",
    "read_token",
    "read_user",
    "read_user_jwt",
    "refuse_origin",
    "restore_instructions",
    "rotate_identity_secret",
    "set_instructions",
    "set_logo",
    "site_of_origin",
    "site_of_token",
    "site_of_user_jwt",
    "whole_prompt",
]
_MAX_KEY_CHARS = 32
_OWNERS_MISTAKES = (NULL_SENTENCE, FILE_SENTENCE)


def find_site(key: str) -> Site:
    """The site with this public key. Raises UnknownSite."""
    # PostgreSQL takes no NUL, not even to look for it.
    is_key = isinstance(key, str) and key.isascii() and key.isprintable()
    if is_key and 0 < len(key) <= _MAX_KEY_CHARS:
        # The logo is up to 32 KB, and few who ask for a site want it.
        found = Site.objects.defer("logo").filter(key=key).first()
        if found is not None:
            return found
    raise UnknownSite


def check_is_on(site: Site) -> None:
    """Raises SiteOff for a site whose chat is switched off."""
    if not site.is_on:
        raise SiteOff


def check_origin(site: Site, origin: str) -> None:
    """Raises OriginRefused, and records it, when pages of ``origin`` may not use the site's chat.

    ``origin`` is the header as it came.
    """
    try:
        place = parse_origin(origin)
    except BadOrigin as error:
        # Only what tells an owner something is kept; the rest is noise or an attack.
        known = "null" if error.text in _OWNERS_MISTAKES else ""
        if known:
            refusals.record_refusal(site, known, error.text)
        raise OriginRefused(known, error.text) from None
    if not _is_listed(site, place):
        fix = f"Its owner can allow {place} in the admin, on the page of this site."
        refusals.record_refusal(site, str(place), fix)
        raise OriginRefused(str(place), f"Pages of {place} may not use this chat. {fix}")


def is_origin_allowed(site: Site, origin: str) -> bool:
    """Like ``check_origin`` without a trace: for preflights and previews."""
    try:
        return _is_listed(site, parse_origin(origin))
    except BadOrigin:
        return False


def site_of_origin(origin: str) -> Site | None:
    """A site that allows this origin, the oldest one first; None when no site does."""
    try:
        place = parse_origin(origin)
    except BadOrigin:
        return None
    sites = Site.objects.defer("logo").filter(origins__origin__in=entries_for(place))
    return sites.order_by("id").first()


def site_of_token(token: str) -> Site:
    """The site a visitor token was made for. Raises BadToken, UnknownSite.

    The visitor is only known after ``read_token`` with the origin.
    """
    return find_site(site_key_of(token))


def site_of_user_jwt(user_jwt: str) -> Site:
    """The site that a user JWT names. Raises BadToken, UnknownSite.

    The user is only known after ``read_user_jwt``.
    """
    return find_site(audience_of(user_jwt))


@transaction.atomic
def allow_origin(site: Site, origin: str) -> AllowedOrigin:
    """Let pages of ``origin`` use the chat, and take it off the refused ones. Raises BadOrigin."""
    entry = parse_entry(origin)
    row, _ = AllowedOrigin.objects.get_or_create(site=site, origin=str(entry))
    refusals.forget_refusals(site, entry)
    return row


def forget_allowed_refusals(site: Site) -> None:
    """Take what is allowed by now off the refused ones."""
    for row in site.origins.all():
        with suppress(BadOrigin):
            refusals.forget_refusals(site, parse_entry(row.origin))


def refuse_origin(site: Site, origin: str) -> None:
    """Take an entry off the list of allowed origins; open chats end with their next request."""
    AllowedOrigin.objects.filter(site=site, origin=origin).delete()


def rotate_identity_secret(site: Site) -> str:
    """Replace the secret that signs user JWTs; what was signed with the old one is refused now."""
    site.identity_secret = new_identity_secret()
    site.save(update_fields=["identity_secret"])
    return site.identity_secret


def set_logo(site: Site, data: bytes) -> None:
    """Store a logo; empty bytes remove it. Raises BadLogo."""
    if data:
        check_logo(data)
    site.logo = data
    site.save(update_fields=["logo"])


def _is_listed(site: Site, place: Origin) -> bool:
    return site.origins.filter(origin__in=entries_for(place)).exists()
