"""What an answer is like."""

from __future__ import annotations

from backend.setting import Setting, number

SYSTEM_PROMPT = (
    "You are the friendly assistant of this website. Answer briefly and honestly, and say so when "
    "you do not know."
)

SETTINGS: tuple[Setting, ...] = (
    number(
        "CORRAL_MAX_TOKENS",
        0,
        "Longest answer in tokens; 0 means the profile's.",
        least=0,
        most=32_768,
    ),
    number(
        "CORRAL_MAX_MESSAGES",
        0,
        "Earlier messages the model is shown at most; 0 means the profile's.",
        least=0,
        most=1000,
    ),
    number(
        "CORRAL_MAX_CHARS",
        4000,
        "Longest question, in characters.",
        least=1,
        most=12_000,
    ),
    number(
        "CORRAL_TEMPERATURE",
        0.7,
        "How freely answers vary: 0 always takes the likeliest word. The demo model uses 0.2.",
        least=0,
        most=2,
    ),
    Setting(
        name="CORRAL_SYSTEM_PROMPT",
        type=str,
        default=SYSTEM_PROMPT,
        help="What the model is told before every conversation. Treat it as public.",
    ),
)
