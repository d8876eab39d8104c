"""JWTs by which a website tells who its signed-in user is.

The website's server signs ``{"sub": ..., "aud": <site key>, "exp": ...}`` with the site's identity
secret and HS256. Every complaint is written for the developer who makes the JWT.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import jwt

from apps.widget.errors import BadToken
from apps.widget.models import Site

MAX_LIFETIME_S = 3600
MAX_SUB_CHARS = 128
MAX_CHARS = 4096
LEEWAY_S = 30
"""Clocks of two servers may differ by so much."""


@dataclass(frozen=True, slots=True)
class WebsiteUser:
    """Whom a website vouches for, and until when."""

    sub: str
    rights_end: float
    """Epoch seconds."""


def read_user_jwt(*, site: Site, user_jwt: str) -> str:
    """The ``sub`` that the site vouches for. Raises BadToken with what to mend."""
    return read_user(site=site, user_jwt=user_jwt).sub


def read_user(*, site: Site, user_jwt: str) -> WebsiteUser:
    """The user whom the site vouches for. Raises BadToken with what to mend."""
    if not isinstance(user_jwt, str) or not user_jwt or len(user_jwt) > MAX_CHARS:
        raise BadToken(f"The user JWT must be a text of at most {MAX_CHARS} characters.")
    claims = _decode(site, user_jwt)
    if claims["exp"] > time.time() + MAX_LIFETIME_S + LEEWAY_S:
        raise BadToken(f"The user JWT may end at most {MAX_LIFETIME_S} s from now (claim exp).")
    sub = claims["sub"]
    if not sub.strip() or len(sub) > MAX_SUB_CHARS or not sub.isprintable():
        raise BadToken(
            f"The user JWT's sub must be a text of 1 to {MAX_SUB_CHARS} printable characters."
        )
    return WebsiteUser(str(sub), float(claims["exp"]) + LEEWAY_S)


def audience_of(user_jwt: str) -> str:
    """The site key a JWT names; only to find the site, nothing is proved by it. Raises BadToken."""
    if not isinstance(user_jwt, str) or not user_jwt or len(user_jwt) > MAX_CHARS:
        raise BadToken(f"The user JWT must be a text of at most {MAX_CHARS} characters.")
    try:
        claims = jwt.decode(user_jwt, options={"verify_signature": False}, algorithms=["HS256"])
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise BadToken("The user JWT can not be read.") from None
    audience = claims.get("aud")
    if not isinstance(audience, str):
        raise BadToken("The user JWT's aud must be the key of this site.")
    return audience


def _decode(site: Site, user_jwt: str) -> dict[str, Any]:
    try:
        claims = jwt.decode(
            user_jwt,
            site.identity_secret,
            algorithms=["HS256"],
            audience=site.key,
            leeway=LEEWAY_S,
            options={"require": ["exp", "sub", "aud"]},
        )
    except jwt.ExpiredSignatureError:
        raise BadToken("The user JWT has expired; make a new one for every page.") from None
    except jwt.MissingRequiredClaimError as error:
        raise BadToken(f"The user JWT lacks the claim {error.claim}.") from None
    except jwt.InvalidAudienceError:
        raise BadToken("The user JWT's aud must be the key of this site.") from None
    except jwt.InvalidAlgorithmError:
        raise BadToken("The user JWT must be signed with HS256.") from None
    except jwt.InvalidSignatureError:
        raise BadToken("The user JWT is not signed with this site's identity secret.") from None
    except jwt.exceptions.InvalidSubjectError:
        raise BadToken("The user JWT's sub must be a text.") from None
    except jwt.ImmatureSignatureError:
        raise BadToken("The user JWT is not valid yet; check the clock of your server.") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise BadToken("The user JWT can not be read.") from None
    if not isinstance(claims["exp"], (int, float)) or isinstance(claims["exp"], bool):
        raise BadToken("The user JWT's exp must be a number of seconds.")
    return dict(claims)
