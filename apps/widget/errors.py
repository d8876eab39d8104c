"""What can go wrong between a website, its visitors and the chat.

Every error has a stable ``code`` and a ``text`` in plain words. The text is written for whoever
can mend it, mostly the owner or the developer of the website; it never holds what a visitor wrote.
"""

from __future__ import annotations


class WidgetError(Exception):
    """Something about an embedded chat is not as it should be."""

    code = "widget"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class UnknownSite(WidgetError):
    """No site has this key."""

    code = "unknown_site"

    def __init__(self) -> None:
        super().__init__(
            "There is no site with this key; copy the tag again from the site's page in the admin."
        )


class SiteOff(WidgetError):
    """The site's chat is switched off: reading is allowed, writing is not."""

    code = "site_off"

    def __init__(self) -> None:
        super().__init__("The chat of this site is switched off.")


class OriginRefused(WidgetError):
    """A page of this origin may not use the site's chat."""

    code = "origin_not_allowed"

    def __init__(self, origin: str, text: str) -> None:
        super().__init__(text)
        self.origin = origin
        """As it would be listed, or empty for one that can not be listed."""


class BadOrigin(WidgetError):
    """This can not be the origin of a website."""

    code = "bad_origin"


class BadToken(WidgetError):
    """A visitor token or a user's JWT that does not prove anything here."""

    code = "unauthorised"


class HandoverOver(WidgetError):
    """A code that was used, is too old, or none of ours."""

    code = "handover_over"

    def __init__(self) -> None:
        super().__init__("This code works once and for one minute, and that is over.")


class InstructionsTooLong(WidgetError):
    """Instructions beyond the limit in tokens."""

    code = "too_long"


class BadLogo(WidgetError):
    """A file that can not be shown as a logo."""

    code = "bad_logo"
