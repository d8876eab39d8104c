"""What the proxy in front tells the server: name, protocol and the visitor's address."""

from __future__ import annotations

from typing import Any

from apps.ai_pool.doctor.finding import Finding, Level, good
from apps.ai_pool.doctor.public_site import SPOOFED, PublicSite, Reply

BEGIN = "In nginx's location: "


def check_answer(site: PublicSite, reply: Reply) -> list[Finding]:
    """Whether the request came to this Corral at all; nothing else can be told otherwise."""
    if reply.status == 200 and "scheme" in reply.json():
        return []
    if reply.status == 400:
        return [
            Finding(
                "proxy-host",
                Level.ERROR,
                f"The server refuses the host name that the proxy passes on for {site.host}.",
                f"{BEGIN}`proxy_set_header Host $host;`, and {site.host} in ALLOWED_HOSTS.",
            )
        ]
    if reply.status in (502, 503, 504):
        return [
            Finding(
                "proxy-no-server",
                Level.ERROR,
                f"A proxy answers at {site.origin} with {reply.status}: it cannot reach Corral.",
                "Start Corral (`systemctl start corral`), and let proxy_pass name its socket or "
                "port; nginx's user must be in the group of the socket.",
            )
        ]
    if reply.status in (301, 302, 307, 308):
        where = str(reply.headers.get("Location", ""))[:100]
        return [
            Finding(
                "proxy-redirects",
                Level.ERROR,
                f"{site.origin} sends visitors on to {where}.",
                "Give --url the address that it leads to, with https:// if that is the difference.",
            )
        ]
    return [
        Finding(
            "not-this-site",
            Level.ERROR,
            f"What answers at {site.origin} (with {reply.status}) is not this Corral, or has "
            "another SECRET_KEY.",
            "Run the doctor with the settings of the server (the same .env and environment), and "
            "let the proxy pass /health/ on to it.",
        )
    ]


def check_proxy(site: PublicSite, seen: dict[str, Any]) -> list[Finding]:
    """``seen``: what the server says of the doctor's request."""
    return [_protocol(site, seen), _name(site, seen), _address(seen)]


def _protocol(site: PublicSite, seen: dict[str, Any]) -> Finding:
    scheme = seen.get("scheme")
    if scheme == site.scheme:
        return good("proxy-protocol", f"The server knows that visitors use {site.scheme}.")
    if site.scheme == "https":
        harm = "sends visitors to HTTPS again and again, or gives them cookies without protection"
    else:
        harm = "believes that plain HTTP is protected"
    numbers = "" if seen.get("num_proxies") else " and NUM_PROXIES=1 in .env, so that it counts"
    return Finding(
        "proxy-protocol-wrong",
        Level.ERROR,
        f"Visitors use {site.scheme} and the server is told {scheme}, so it {harm}.",
        f"{BEGIN}`proxy_set_header X-Forwarded-Proto $scheme;`{numbers}.",
    )


def _name(site: PublicSite, seen: dict[str, Any]) -> Finding:
    host = str(seen.get("host", ""))
    if host.lower() == site.origin.partition("://")[2].lower() or host.lower() == site.host:
        return good("proxy-host", f"The server knows that visitors came to {host}.")
    return Finding(
        "proxy-host-changed",
        Level.ERROR,
        f"Visitors come to {site.host} and the server is told {host}, so their sockets look like "
        "those of a foreign page.",
        f"{BEGIN}`proxy_set_header Host $host;` (with the port, if it is unusual: $http_host).",
    )


def _address(seen: dict[str, Any]) -> Finding:
    address = str(seen.get("address", ""))
    forwarded = [part.strip() for part in str(seen.get("forwarded_for", "")).split(",")]
    fix = f"{BEGIN}`proxy_set_header X-Forwarded-For $remote_addr;`"
    if address == SPOOFED:
        return Finding(
            "proxy-address-chosen",
            Level.ERROR,
            "Visitors can choose the address they are counted under, and so escape every limit.",
            f"{fix} (not $proxy_add_x_forwarded_for, which keeps what the visitor wrote); without "
            "a proxy, start Daphne without --proxy-headers.",
        )
    is_behind_proxy = forwarded != [SPOOFED] or bool(seen.get("num_proxies"))
    if is_behind_proxy and address not in forwarded:
        return Finding(
            "proxy-address-lost",
            Level.WARNING,
            "The server does not learn visitors' addresses from the proxy, so the limit for one "
            "address counts all of them together or none.",
            f"{fix}, NUM_PROXIES=1 in .env, and Daphne with --proxy-headers (`manage.py serve` and "
            "the units do that).",
        )
    return good("proxy-address", "The server knows visitors' addresses, and they cannot lie.")
