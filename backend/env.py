"""The table of every setting: name, type, default, limits, help.

It is the single source of the defaults, of the validation and of ``docs/settings.md``. Values come
from the environment, then from the file ``.env``, then from the table.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from backend.setting import FALSE, WRONG_VALUE_ID, Setting

BASE_DIR = Path(__file__).resolve().parent.parent


def _number(
    name: str,
    default: float,
    help: str,
    *,
    least: float,
    most: float,
    section: str,
    alias: str = "",
) -> Setting:
    return Setting(
        name=name,
        type=type(default),
        default=default,
        help=help,
        at_least=least,
        at_most=most,
        section=section,
        alias=alias,
    )


POOL, MODEL, ANSWERS, LIMITS = "Pool", "Model", "Answers", "Limits"
SITE, DJANGO = "Site", "Django"
SYSTEM_PROMPT = (
    "You are the friendly assistant of this website. Answer briefly and honestly, and say so when "
    "you do not know."
)

SETTINGS: tuple[Setting, ...] = (
    _number(
        "CORRAL_MAX_INSTANCES",
        0,
        "Answers written at the same time at most; 0 means the profile's. An instance costs "
        "megabytes, not a model.",
        least=0,
        most=64,
        section=POOL,
        alias="maxInstances",
    ),
    _number(
        "CORRAL_HOT_INSTANCES",
        0,
        "Instances that are always there; 0 means the profile's, or as many as "
        "CORRAL_MAX_INSTANCES if that is set. Others come and go with demand.",
        least=0,
        most=64,
        section=POOL,
    ),
    Setting(
        name="CORRAL_PEAK_HOURS",
        type=str,
        default="",
        help=(
            "Hours (UTC) and how many instances are always there then: "
            "Mon-Fri 08:00-18:00=4; Sat,Sun 10:00-14:00=2, for example."
        ),
        section=POOL,
    ),
    _number(
        "CORRAL_TIMEOUT_MS",
        120_000,
        "Longest wait in the queue, in milliseconds.",
        least=100,
        most=3_600_000,
        section=POOL,
    ),
    _number(
        "CORRAL_FIRST_TOKEN_TIMEOUT_MS",
        30_000,
        "Longest wait for the first word once an answer was started, in milliseconds; a long "
        "conversation gets three times what reading it should take.",
        least=1000,
        most=3_600_000,
        section=POOL,
    ),
    _number(
        "CORRAL_STALL_TIMEOUT_MS",
        20_000,
        "An answer without any progress for so many milliseconds is given up; a pool process that "
        "shows no sign of life for so long is replaced, and its answers go on in the new one.",
        least=1000,
        most=600_000,
        section=POOL,
    ),
    _number(
        "CORRAL_TOTAL_TIMEOUT_MS",
        180_000,
        "Longest time for one answer once it was started, in milliseconds.",
        least=1000,
        most=3_600_000,
        section=POOL,
    ),
    _number(
        "CORRAL_QUEUE_SIZE",
        32,
        "Questions that may wait for an instance; the next one is refused with a time to retry.",
        least=1,
        most=10_000,
        section=POOL,
    ),
    _number(
        "CORRAL_MAX_WAITING_TOKENS",
        0,
        "Work that may wait, in tokens to be read and written; 0 means sixteen full conversations.",
        least=0,
        most=100_000_000,
        section=POOL,
    ),
    _number(
        "CORRAL_MAX_INFLIGHT",
        2,
        "Questions one visitor may have waiting or running at the same time.",
        least=1,
        most=64,
        section=POOL,
    ),
    _number(
        "CORRAL_MAX_RUNNING_PER_VISITOR",
        2,
        "Answers one visitor may have written at the same time.",
        least=1,
        most=64,
        section=POOL,
    ),
    _number(
        "CORRAL_MAX_INFLIGHT_PER_ADDRESS",
        16,
        "Questions that may wait or run at the same time from one network address (IPv6: from one "
        "network).",
        least=1,
        most=10_000,
        section=POOL,
    ),
    _number(
        "CORRAL_MAX_TOK_S",
        0.0,
        "Paces every instance to so many tokens a second; 0 means as fast as possible.",
        least=0,
        most=100_000,
        section=POOL,
    ),
    Setting(
        name="CORRAL_POOL_MODE",
        type=str,
        default="process",
        choices=("process", "thread"),
        help="Where the pool runs: in a process of its own, or in a thread (tests and scripts).",
        section=POOL,
    ),
    Setting(
        name="CORRAL_POOL_URL",
        type=str,
        default="",
        help=(
            "Use the pool that `manage.py runpool` serves on this machine "
            "(unix:///run/corral-pool/pool.sock); empty means a pool of this server's own."
        ),
        section=POOL,
    ),
    Setting(
        name="CORRAL_POOL_SANDBOX",
        type=str,
        default="auto",
        choices=("auto", "off", "required"),
        help=(
            "The pool process gives up network, writing files, reading the site's data, and new "
            "rights: auto as far as the machine can, required all of it or no pool, off nothing."
        ),
        section=POOL,
    ),
    Setting(
        name="CORRAL_AUTOSTART",
        type=bool,
        default=True,
        help="Start the pool together with the web server.",
        section=POOL,
    ),
    Setting(
        name="CORRAL_POOL_PUBLIC",
        type=bool,
        default=True,
        help="Everybody may see the three lines of /pool; false keeps them for staff.",
        section=POOL,
    ),
    _number(
        "CORRAL_POOL_WATCHERS",
        50,
        "Of the public, how many may follow /pool live at the same time; 0 lets only staff.",
        least=0,
        most=10_000,
        section=POOL,
    ),
    Setting(
        name="CORRAL_MODEL_PATH",
        type=str,
        default="",
        help="The GGUF file to use; empty means the best one found, else the demo model.",
        section=MODEL,
    ),
    Setting(
        name="CORRAL_QUANT",
        type=str,
        default="",
        help="Preferred quantisation when several model files are there (Q5_K_M, Q8_0, Q4_K_M).",
        section=MODEL,
    ),
    Setting(
        name="CORRAL_PROFILE",
        type=str,
        default="auto",
        help=(
            "A named set of engine limits: small, standard, large, or auto for this machine's; "
            "classic is there to compare with, and slower."
        ),
        section=MODEL,
    ),
    Setting(
        name="CORRAL_EMERGENCY",
        type=str,
        default="auto",
        choices=("auto", "on", "off"),
        help=(
            "What happens when memory gets short: auto saves step by step, on begins in emergency "
            "mode (short answers, no new conversations), off leaves it to the kernel."
        ),
        section=MODEL,
    ),
    _number(
        "CORRAL_N_CTX",
        0,
        "Context of one conversation in tokens; 0 means the profile's.",
        least=0,
        most=131_072,
        section=MODEL,
    ),
    _number(
        "CORRAL_THREADS",
        0,
        "Threads of llama.cpp; 0 means the CPU quota of this machine or container, and one for a "
        "model as small as the demo.",
        least=0,
        most=256,
        section=MODEL,
    ),
    _number(
        "CORRAL_PARKED_MB",
        -1,
        "Memory for conversations that hold no instance, in MB, so that their next turn begins at "
        "once; -1 means the profile's, 0 none.",
        least=-1,
        most=1_000_000,
        section=MODEL,
    ),
    _number(
        "CORRAL_CHUNK_TOKENS",
        0,
        "Tokens of a question read in one step while nobody else is answered; 0 means the "
        "profile's. Fewer make reading slower and save next to nothing.",
        least=0,
        most=4096,
        section=MODEL,
    ),
    _number(
        "CORRAL_TARGET_ITL_MS",
        0,
        "Longest time between two words of a running answer that reading somebody else's question "
        "may cause, in milliseconds; 0 means the profile's.",
        least=0,
        most=60_000,
        section=MODEL,
    ),
    Setting(
        name="CORRAL_FLASH_ATTENTION",
        type=str,
        default="auto",
        choices=("auto", "on", "off"),
        help="llama.cpp's faster attention; auto means the profile's. Off costs a third of speed.",
        section=MODEL,
    ),
    _number(
        "CORRAL_REPEAT_LAST_N",
        -1,
        "Last tokens of an answer that should not be repeated; -1 means the profile's.",
        least=-1,
        most=4096,
        section=MODEL,
    ),
    _number(
        "CORRAL_IDLE_SLEEP_MIN",
        0,
        "Give the model's memory back after so many minutes without a question; the next one loads "
        "it again. 0 means never.",
        least=0,
        most=10_080,
        section=MODEL,
    ),
    _number(
        "CORRAL_GPU_LAYERS",
        0,
        "Layers of the model to keep on a GPU; 0 means none.",
        least=0,
        most=1000,
        section=MODEL,
    ),
    _number(
        "CORRAL_MAX_TOKENS",
        0,
        "Longest answer in tokens; 0 means the profile's.",
        least=0,
        most=32_768,
        section=ANSWERS,
    ),
    _number(
        "CORRAL_MAX_MESSAGES",
        0,
        "Earlier messages the model is shown at most; 0 means the profile's.",
        least=0,
        most=1000,
        section=ANSWERS,
    ),
    _number(
        "CORRAL_MAX_CHARS",
        4000,
        "Longest question, in characters.",
        least=1,
        most=12_000,
        section=ANSWERS,
    ),
    _number(
        "CORRAL_TEMPERATURE",
        0.7,
        "How freely answers vary: 0 always takes the likeliest word. The demo model uses 0.2.",
        least=0,
        most=2,
        section=ANSWERS,
    ),
    Setting(
        name="CORRAL_SYSTEM_PROMPT",
        type=str,
        default=SYSTEM_PROMPT,
        help="What the model is told before every conversation. Treat it as public.",
        section=ANSWERS,
    ),
    _number(
        "CORRAL_MESSAGES_PER_MINUTE",
        30,
        "Answers one visitor may ask for in a minute. 0 sets no limit, here and below.",
        least=0,
        most=10_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_MESSAGES_PER_HOUR",
        0,
        "Answers one visitor may ask for in an hour.",
        least=0,
        most=1_000_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_ANONYMOUS_MESSAGES_PER_MINUTE",
        10,
        "Answers somebody who is not signed in may ask for in a minute.",
        least=0,
        most=10_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_ANONYMOUS_MESSAGES_PER_HOUR",
        60,
        "Answers somebody who is not signed in may ask for in an hour.",
        least=0,
        most=1_000_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_TOKENS_PER_HOUR",
        40_000,
        "Tokens that may be written for one visitor in an hour. The longest answer is taken "
        "when a question comes, and what it did not need is given back.",
        least=0,
        most=1_000_000_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_TOKENS_PER_DAY",
        0,
        "Tokens that may be written for one visitor in a day.",
        least=0,
        most=1_000_000_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_ANONYMOUS_TOKENS_PER_HOUR",
        8_000,
        "Tokens that may be written in an hour for somebody who is not signed in.",
        least=0,
        most=1_000_000_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_ANONYMOUS_TOKENS_PER_DAY",
        40_000,
        "Tokens that may be written in a day for somebody who is not signed in.",
        least=0,
        most=1_000_000_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_ADDRESS_SHARE",
        10,
        "All who are not signed in and come from one address block (/24, IPv6: /56) have so "
        "many times what one of them has, in messages and tokens. 0 sets no limit for blocks.",
        least=0,
        most=10_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_NEW_VISITORS_PER_HOUR",
        100,
        "Visitors who are not signed in that may ask from one address block in an hour: "
        "whoever drops their cookies is a new one each time.",
        least=0,
        most=1_000_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_SITE_MESSAGES_PER_MINUTE",
        0,
        "Answers all visitors of one website together may ask for in a minute.",
        least=0,
        most=1_000_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_SITE_TOKENS_PER_HOUR",
        0,
        "Tokens that may be written for all visitors of one website in an hour.",
        least=0,
        most=1_000_000_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_SITE_TOKENS_PER_DAY",
        0,
        "Tokens that may be written for all visitors of one website in a day.",
        least=0,
        most=1_000_000_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_SOCKETS_PER_VISITOR",
        6,
        "Chat sockets, that is tabs, one visitor may have open; the oldest makes room for "
        "another one.",
        least=0,
        most=1_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_ANONYMOUS_SOCKETS_PER_ADDRESS",
        20,
        "Chat sockets that may be open from one address (IPv6: /64) for people who are not "
        "signed in; others come in without a socket.",
        least=0,
        most=1_000_000,
        section=LIMITS,
    ),
    _number(
        "CORRAL_ANONYMOUS_SOCKETS",
        1000,
        "Chat sockets that one web process has open for people who are not signed in.",
        least=0,
        most=1_000_000,
        section=LIMITS,
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
        section=LIMITS,
    ),
    Setting(
        name="CORRAL_ASSISTANT_NAME",
        type=str,
        default="Assistant",
        help="The name visitors see.",
        section=SITE,
    ),
    Setting(
        name="CORRAL_SITE_NAME",
        type=str,
        default="Corral",
        help="The name of the site in titles.",
        section=SITE,
    ),
    _number(
        "CORRAL_RETENTION_DAYS",
        30,
        "Days after its last message until `manage.py chat_prune` deletes a conversation of the "
        "chat page; each website has its own number. 0 keeps them until the visitor deletes them.",
        least=0,
        most=3650,
        section=SITE,
    ),
    Setting(
        name="CORRAL_LOAD_TEST_KEY",
        type=str,
        default="",
        help=(
            "Lets `manage.py loadtest` on another machine come in as many visitors; at least 16 "
            "random characters. Empty: only tests on the server itself."
        ),
        section=SITE,
        is_secret=True,
    ),
    Setting(
        name="CORRAL_API_DOCS",
        type=bool,
        default=True,
        help="Show the description of the API at /api/v1/schema/ and /api/v1/docs/.",
        section=SITE,
    ),
    Setting(
        name="CORRAL_METRICS_TOKEN",
        type=str,
        default="",
        help=(
            "Whoever sends it as a bearer token may read /metrics; at least 20 random characters. "
            "Empty: nobody by token."
        ),
        section=SITE,
        is_secret=True,
    ),
    Setting(
        name="CORRAL_METRICS_ALLOW",
        type=list,
        default=("127.0.0.1", "::1"),
        help=(
            "Addresses and networks that may read /metrics without a token, separated by commas; "
            "none for no address. Everybody else but staff finds nothing there."
        ),
        section=SITE,
    ),
    _number(
        "CORRAL_AUDIT_DAYS",
        365,
        "Days until `manage.py chat_prune` deletes an entry of the audit log, which says who of "
        "the staff changed what. 0 keeps them.",
        least=0,
        most=3650,
        section=SITE,
    ),
    _number(
        "CORRAL_SIGN_INS_PER_ADDRESS",
        20,
        "Attempts to sign in to the admin that may fail in a quarter of an hour from one address "
        "block (/24, /56). 0 sets no limit.",
        least=0,
        most=10_000,
        section=SITE,
    ),
    _number(
        "CORRAL_SIGN_INS_PER_ACCOUNT",
        10,
        "Attempts to sign in to one account that may fail in a quarter of an hour, wherever they "
        "come from; where its owner has signed in before has as many of its own. 0 sets no limit.",
        least=0,
        most=10_000,
        section=SITE,
    ),
    Setting(
        name="CORRAL_VAR_DIR",
        type=Path,
        default=Path("var"),
        help="Directory for everything the server writes: database, pool socket, development key.",
        section=SITE,
    ),
    Setting(
        name="CORRAL_BACKUP_DIR",
        type=str,
        default="",
        help="Directory for what `manage.py backup` writes; empty means backups in the var "
        "directory. Another disk is better.",
        section=SITE,
    ),
    Setting(
        name="CORRAL_LOG_FORMAT",
        type=str,
        default="plain",
        choices=("plain", "json"),
        help="Lines of the log for people, or one JSON object each for machines.",
        section=SITE,
    ),
    Setting(
        name="CORRAL_ACCESS_LOG",
        type=bool,
        default=False,
        help=(
            "Write a line for every request and every closed socket: its id, the kind of page, "
            "status and time. A proxy in front usually does that already."
        ),
        section=SITE,
    ),
    Setting(
        name="DJANGO_ENV",
        type=str,
        default="development",
        choices=("development", "production"),
        help=(
            "production asks for a SECRET_KEY and switches on HTTPS, secure cookies and HSTS. "
            "Setting DEBUG=false without DJANGO_ENV means production."
        ),
        section=DJANGO,
    ),
    Setting(
        name="DEBUG",
        type=bool,
        default=False,
        help="Django's error pages with source text. For development only.",
        section=DJANGO,
    ),
    Setting(
        name="SECRET_KEY",
        type=str,
        default="",
        help="At least 50 random characters. In development one is made in the var directory.",
        section=DJANGO,
        is_secret=True,
    ),
    Setting(
        name="SECRET_KEY_FALLBACKS",
        type=list,
        default=(),
        help="Earlier keys that stay valid while you change SECRET_KEY, separated by commas.",
        section=DJANGO,
        is_secret=True,
    ),
    Setting(
        name="ALLOWED_HOSTS",
        type=list,
        default=("localhost", "127.0.0.1", "[::1]"),
        help="Host names of the site, separated by commas. Chat sockets obey it too.",
        section=DJANGO,
    ),
    Setting(
        name="CSRF_TRUSTED_ORIGINS",
        type=list,
        default=(),
        help="Further origins that may use the chat, with scheme (https://www.example.org).",
        section=DJANGO,
    ),
    Setting(
        name="DATABASE_URL",
        type=str,
        default="",
        help="postgres://user:password@host/name; empty means SQLite in the var directory.",
        section=DJANGO,
        is_secret=True,
    ),
    Setting(
        name="SECURE_SSL_REDIRECT",
        type=bool,
        default=True,
        help="In production: send plain HTTP to HTTPS. Switch off only for a test without TLS.",
        section=DJANGO,
    ),
    _number(
        "NUM_PROXIES",
        0,
        "Trusted reverse proxies in front of the server; decides which forwarded headers count.",
        least=0,
        most=10,
        section=DJANGO,
    ),
    Setting(
        name="LOG_LEVEL",
        type=str,
        default="INFO",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        help="How much the server writes.",
        section=DJANGO,
    ),
)


def read_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return every setting of the table by name; a wrong one raises ImproperlyConfigured."""
    values = _read_each(environment)
    debug = environment.get("DEBUG", "").strip().lower()
    # Who switches DEBUG off by hand means a public server, and gets its protection.
    if not environment.get("DJANGO_ENV", "").strip() and debug in FALSE:
        values["DJANGO_ENV"] = "production"
    return values


def _read_each(environment: Mapping[str, str]) -> dict[str, Any]:
    """The value of every setting; all that are wrong are named at once."""
    values, complaints = {}, []
    for setting in SETTINGS:
        try:
            values[setting.name] = setting.read(environment)
        except ImproperlyConfigured as error:
            complaints.append(f"{error} ({WRONG_VALUE_ID})")
    if complaints:
        raise ImproperlyConfigured("\n".join(complaints))
    return values


def load() -> dict[str, Any]:
    """Read the file ``.env`` (another one: CORRAL_ENV_FILE, empty for none), then the settings."""
    path = os.environ.get("CORRAL_ENV_FILE", str(BASE_DIR / ".env"))
    if path and Path(path).is_file():
        try:
            environ.Env.read_env(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(
                f"The settings file {path} cannot be read: {error}."
            ) from None
    return read_settings(os.environ)


def settings_markdown() -> str:
    """The text of ``docs/settings.md``."""
    lines = [
        "# Settings",
        "",
        "Set them in the environment or in a file `.env` beside `manage.py` (`NAME=value` on each",
        "line); the environment wins. A wrong value stops the start with one sentence.",
        "",
        "This page is written by `python manage.py settings_table --write`.",
    ]
    for section in (POOL, MODEL, ANSWERS, LIMITS, SITE, DJANGO):
        lines += ["", f"## {section}", "", "| Name | Default | Meaning |", "|---|---|---|"]
        for setting in SETTINGS:
            if setting.section == section:
                lines.append(_markdown_row(setting))
    return "\n".join(lines) + "\n"


def _markdown_row(setting: Setting) -> str:
    name = f"`{setting.name}`" + (f" (also `{setting.alias}`)" if setting.alias else "")
    default = f"`{setting.default_text}`" if setting.default_text else "empty"
    meaning = setting.help
    if setting.at_least is not None and setting.at_most is not None:
        meaning += f" From {setting.at_least:,.12g} to {setting.at_most:,.12g}."
    if setting.choices:
        meaning += " One of " + ", ".join(f"`{choice}`" for choice in setting.choices) + "."
    if setting.is_secret:
        meaning += f" Or `{setting.name}_FILE` names the file that holds it."
    return f"| {name} | {default} | {meaning} |"
