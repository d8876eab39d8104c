"""Who comes in: turns what a client shows first into a visitor, or refuses it.

Everything here is synchronous and uses the database; from a coroutine call it through
``database_sync_to_async``. What is wrong with a website, its origin or a token comes out as the
ChatError of that code, in the words of whoever can mend it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace

from django.utils import translation

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.generations import dismiss_everywhere, move_everywhere
from apps.ai_chat.site_cookie import visitor_of_site_cookie
from apps.ai_chat.visitor import (
    Visitor,
    new_visitor_id,
    sign,
    unsign,
    visitor_of_id,
    visitor_of_widget,
    visitor_of_widget_user,
)
from apps.widget import services as sites
from apps.widget.errors import WidgetError
from apps.widget.models import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A visitor who may come in, and what they are given."""

    visitor: Visitor
    site: Site | None = None
    origin: str = ""
    """Of the website's page, as the browser named it; empty on our own page."""
    visitor_id: str = ""
    """What the token is about; empty for those who are known by other means."""
    token: str = ""
    token_exp: int | None = None
    is_new: bool = False
    """Nothing is stored of them and they have no token; they get one with their first question."""

    def mint(self) -> tuple[str, int]:
        """A token for this visitor of a website, and when it ends (epoch seconds)."""
        if self.site is None:
            raise ValueError("only visitors of a website have tokens that end")
        return sites.mint_token(site=self.site, origin=self.origin, visitor_id=self.visitor_id)


def admit_to_our_page(known: Visitor | None, token: str) -> Admission:
    """Somebody on our own page, or a program: ``known`` by cookie or login, else by a token."""
    if known is not None:
        return Admission(visitor=known)
    visitor_id = unsign(token) if token else new_visitor_id()
    if visitor_id is None:
        raise ChatError("unauthorised")
    return Admission(
        visitor=visitor_of_id(visitor_id), visitor_id=visitor_id, token=sign(visitor_id)
    )


def admit_by_handover(cookies: Mapping[str, str], site_key: str, *, host: str = "") -> Admission:
    """A website's visitor on our own page, by the cookie that a handover left."""
    found = visitor_of_site_cookie(cookies, site_key)
    if found is None:
        raise ChatError("handover_over")
    site, visitor = found
    return Admission(visitor=replace(visitor, host=host), site=site)


def admit_to_site(
    *, site_key: str, origin: str, token: str = "", user_jwt: str = "", host: str = ""
) -> Admission:
    """Somebody on a page of a website; ``origin`` is the header as it came.

    A token that is shown is renewed. With a user JWT the visitor is that user, and what they wrote
    before signing in comes along.
    """
    with _as_chat_errors():
        site = sites.find_site(site_key)
        sites.check_origin(site, origin)
        is_new = not token
        visitor_id = (
            sites.new_visitor_id()
            if is_new
            else sites.read_token(token=token, site=site, origin=origin)
        )
    visitor = replace(visitor_of_widget(site, visitor_id), host=host)
    admission = Admission(
        visitor=visitor, site=site, origin=origin, visitor_id=visitor_id, is_new=is_new
    )
    if user_jwt:
        as_user = identified(admission, user_jwt)
        if not is_new:
            # Answers in the making go along, and tabs that are still the visitor say hello again.
            move_everywhere(visitor.key, as_user.visitor.key)
            dismiss_everywhere(visitor.key, "moved")
        return as_user
    if is_new:
        return admission
    renewed, token_exp = admission.mint()
    return replace(admission, token=renewed, token_exp=token_exp)


def identified(admission: Admission, user_jwt: str) -> Admission:
    """The same line, as the user whom the website names; earlier chats become theirs."""
    site, before = admission.site, admission.visitor
    if site is None:
        raise ChatError("forbidden")
    with _as_chat_errors():
        user = sites.read_user(site=site, user_jwt=user_jwt)
    after = visitor_of_widget_user(site, user.sub, user.rights_end)
    after = replace(after, host=before.host)
    if before.is_verified and before.key != after.key:
        # Two users share a browser: neither gets the other's chats.
        raise ChatError("forbidden")
    services.merge_visitors(source=before, target=after)
    return replace(admission, visitor=after, visitor_id="", token="", token_exp=None, is_new=False)


def language_of(wanted: str) -> str:
    """The language we speak that comes nearest to what a client asked for; "" for none."""
    try:
        return translation.get_supported_language_variant(wanted.lower()) if wanted else ""
    except LookupError:
        return ""


def speaking(language: str) -> AbstractContextManager[None]:
    """Texts made inside are in this language; "" leaves it as it is."""
    return translation.override(language) if language else nullcontext()


@contextmanager
def _as_chat_errors() -> Iterator[None]:
    try:
        yield
    except WidgetError as error:
        raise ChatError(error.code, words=error.text) from None
