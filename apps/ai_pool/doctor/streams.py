"""Whether words and sockets come through the proxy as they should."""

from __future__ import annotations

from apps.ai_pool.doctor.finding import Finding, Level, good
from apps.ai_pool.doctor.public_site import PublicSite, Reply
from apps.ai_pool.doctor.seen import NUM_PIECES, PIECE_GAP_S

FOREIGN = "https://somebody-else.invalid"
BUFFERING_FIX = (
    "In nginx's location: `proxy_buffering off; proxy_http_version 1.1;`, no proxy_ignore_headers, "
    "and no text/event-stream in gzip_types."
)
UPGRADE_FIX = (
    "In nginx's location: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    "proxy_set_header Connection $connection_upgrade;`, and outside of server: `map $http_upgrade "
    "$connection_upgrade { default upgrade; '' close; }`."
)


def is_held_back(reply: Reply) -> bool:
    """Whether pieces that were sent one after the other came together."""
    moments: list[float] = []
    for moment in reply.piece_times:
        if not moments or moment - moments[-1] > PIECE_GAP_S / 3:
            moments.append(moment)
    # One fewer than were sent: two may meet on their way once.
    return reply.status != 200 or len(moments) < NUM_PIECES - 1


def check_buffering(site: PublicSite) -> list[Finding]:
    """Read two slow answers: one that asks proxies to pass it on at once, and one that does not."""
    if is_held_back(site.stream("marked")):
        return [
            Finding(
                "proxy-buffers",
                Level.ERROR,
                "Something in front holds answers back until they are complete; readers without a "
                "socket see nothing and then everything.",
                BUFFERING_FIX,
            )
        ]
    if is_held_back(site.stream("plain")):
        return [
            Finding(
                "proxy-buffering-on",
                Level.NOTE,
                "The proxy buffers, and lets answers through because they ask it to "
                "(X-Accel-Buffering); a second proxy would not know.",
                BUFFERING_FIX,
            )
        ]
    return [good("proxy-buffering", "Words come through one by one.")]


def check_socket(site: PublicSite) -> list[Finding]:
    """Open the chat's socket as our own page and as somebody else's."""
    reply = site.open_chat(site.origin)
    if reply.status == 403 or reply.greeting == "origin_not_allowed":
        return [
            Finding(
                "origin-refused",
                Level.ERROR,
                f"The chat refuses pages of {site.origin}, which is this site.",
                f"Set CSRF_TRUSTED_ORIGINS={site.origin} and ALLOWED_HOSTS={site.host} in .env, "
                "and in nginx's location `proxy_set_header Host $host;`.",
            )
        ]
    if reply.status != 101:
        return [
            Finding(
                "socket-not-upgraded",
                Level.ERROR,
                f"The chat's WebSocket does not get through (the answer is {reply.status}); "
                "visitors fall back to the slower way.",
                UPGRADE_FIX,
            )
        ]
    if site.open_chat(FOREIGN).greeting == "welcome":
        return [
            Finding(
                "origin-any",
                Level.ERROR,
                "Pages of any other site may open the chat in a visitor's name.",
                "Let the proxy pass the Origin header on as it is, and set ALLOWED_HOSTS and "
                "CSRF_TRUSTED_ORIGINS to your own names.",
            )
        ]
    if reply.greeting != "welcome":
        return [
            Finding(
                "socket-silent",
                Level.ERROR,
                "The chat's WebSocket opens, and what is said on it does not come through.",
                f"{UPGRADE_FIX} Look into the proxy's error log too.",
            )
        ]
    return [good("socket", "WebSockets get through, and foreign pages are refused.")]
