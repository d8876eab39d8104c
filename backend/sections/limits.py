"""What one visitor, one network and one website may have."""

from __future__ import annotations

from backend.setting import Setting, number

SETTINGS: tuple[Setting, ...] = (
    number(
        "CORRAL_MESSAGES_PER_MINUTE",
        30,
        "Answers one visitor may ask for in a minute. 0 sets no limit, here and below.",
        least=0,
        most=10_000,
    ),
    number(
        "CORRAL_MESSAGES_PER_HOUR",
        0,
        "Answers one visitor may ask for in an hour.",
        least=0,
        most=1_000_000,
    ),
    number(
        "CORRAL_ANONYMOUS_MESSAGES_PER_MINUTE",
        10,
        "Answers somebody who is not signed in may ask for in a minute.",
        least=0,
        most=10_000,
    ),
    number(
        "CORRAL_ANONYMOUS_MESSAGES_PER_HOUR",
        60,
        "Answers somebody who is not signed in may ask for in an hour.",
        least=0,
        most=1_000_000,
    ),
    number(
        "CORRAL_TOKENS_PER_HOUR",
        40_000,
        "Tokens that may be written for one visitor in an hour. The longest answer is taken "
        "when a question comes, and what it did not need is given back.",
        least=0,
        most=1_000_000_000,
    ),
    number(
        "CORRAL_TOKENS_PER_DAY",
        0,
        "Tokens that may be written for one visitor in a day.",
        least=0,
        most=1_000_000_000,
    ),
    number(
        "CORRAL_ANONYMOUS_TOKENS_PER_HOUR",
        8_000,
        "Tokens that may be written in an hour for somebody who is not signed in.",
        least=0,
        most=1_000_000_000,
    ),
    number(
        "CORRAL_ANONYMOUS_TOKENS_PER_DAY",
        40_000,
        "Tokens that may be written in a day for somebody who is not signed in.",
        least=0,
        most=1_000_000_000,
    ),
    number(
        "CORRAL_ADDRESS_SHARE",
        10,
        "All who are not signed in and come from one address block (/24, IPv6: /56) have so "
        "many times what one of them has, in messages and tokens. 0 sets no limit for blocks.",
        least=0,
        most=10_000,
    ),
    number(
        "CORRAL_NEW_VISITORS_PER_HOUR",
        100,
        "Visitors who are not signed in that may ask from one address block in an hour: "
        "whoever drops their cookies is a new one each time.",
        least=0,
        most=1_000_000,
    ),
    number(
        "CORRAL_SITE_MESSAGES_PER_MINUTE",
        0,
        "Answers all visitors of one website together may ask for in a minute.",
        least=0,
        most=1_000_000,
    ),
    number(
        "CORRAL_SITE_TOKENS_PER_HOUR",
        0,
        "Tokens that may be written for all visitors of one website in an hour.",
        least=0,
        most=1_000_000_000,
    ),
    number(
        "CORRAL_SITE_TOKENS_PER_DAY",
        0,
        "Tokens that may be written for all visitors of one website in a day.",
        least=0,
        most=1_000_000_000,
    ),
    number(
        "CORRAL_SOCKETS_PER_VISITOR",
        6,
        "Chat sockets, that is tabs, one visitor may have open; the oldest makes room for "
        "another one.",
        least=0,
        most=1_000,
    ),
    number(
        "CORRAL_ANONYMOUS_SOCKETS_PER_ADDRESS",
        20,
        "Chat sockets that may be open from one address (IPv6: /64) for people who are not "
        "signed in; others come in without a socket.",
        least=0,
        most=1_000_000,
    ),
    number(
        "CORRAL_ANONYMOUS_SOCKETS",
        1000,
        "Chat sockets that one web process has open for people who are not signed in.",
        least=0,
        most=1_000_000,
    ),
    Setting(
        name="CORRAL_CACHE_URL",
        type=str,
        default="",
        is_secret=True,
        help=(
            "The Redis that all web processes count in: redis://127.0.0.1:6379/0 or "
            "unix:///run/redis/redis.sock. Empty: each process counts for itself."
        ),
    ),
)
