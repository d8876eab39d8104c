"""What an owner should mend about a site, each with its fix.

The same sentences stand on the site's page in the admin and in ``manage.py check --database
default``; the ids never change.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.widget.errors import BadOrigin
from apps.widget.models import Site
from apps.widget.origins import is_local, is_shared, parse_entry


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that is not as it should be."""

    id: str
    text: str
    hint: str
    is_error: bool = False


def advice_for(site: Site) -> list[Advice]:
    """Everything that is wrong with a site, the worst first; a site that is off may wait."""
    if not site.is_on:
        return []
    found = [*_about_origins(site), *_about_words(site)]
    return sorted(found, key=lambda advice: not advice.is_error)


def _about_origins(site: Site) -> list[Advice]:
    entries = [row.origin for row in site.origins.all()]
    if not entries:
        text = "No origin is allowed, so the chat opens on no page."
        return [Advice("corral.W010", text, "Add the origins of your pages.")]
    return [advice for entry in entries for advice in _about_entry(entry)]


def _about_entry(entry: str) -> list[Advice]:
    try:
        origin = parse_entry(entry)
    except BadOrigin as error:
        text = f"The allowed origin {entry!r} can not be used and allows nothing."
        return [Advice("corral.E010", text, error.text, is_error=True)]
    if str(origin) != entry:
        text = f"The allowed origin {entry!r} is not written as browsers do and allows nothing."
        return [Advice("corral.E010", text, f"Write {origin}.", is_error=True)]
    if is_shared(origin):
        text = f"{entry} allows the pages of strangers: anybody can have a name below it."
        return [Advice("corral.W011", text, "Name your own host instead.")]
    if origin.scheme == "http" and not is_local(origin):
        text = f"{entry} is not encrypted: others on the line can read chats and act as visitors."
        return [Advice("corral.W012", text, "Serve your pages over https.")]
    return []


def _about_words(site: Site) -> list[Advice]:
    texts = {row.language: row for row in site.texts.all()}
    own = texts.get(site.default_language)
    found = []
    if not site.contact and not (own and own.away):
        text = "Nothing tells visitors whom to ask while the assistant is away."
        found.append(Advice("corral.W013", text, "Fill in the contact or an away text."))
    if site.needs_consent and not (own and own.consent):
        text = f"Visitors must agree, but there is no consent text in {site.default_language}."
        found.append(Advice("corral.W014", text, "Write the text they agree to."))
    if not site.privacy_url:
        text = "Visitors find no privacy page in the chat."
        found.append(Advice("corral.W015", text, "Fill in the privacy page's address."))
    return found
