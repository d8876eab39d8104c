"""The site around the chat: names, how long things are kept, who may look."""

from __future__ import annotations

from pathlib import Path

from backend.setting import Setting, number

SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="CORRAL_ASSISTANT_NAME",
        type=str,
        default="Assistant",
        help="The name visitors see.",
    ),
    Setting(
        name="CORRAL_SITE_NAME",
        type=str,
        default="Corral",
        help="The name of the site in titles.",
    ),
    number(
        "CORRAL_RETENTION_DAYS",
        30,
        "Days after its last message until `manage.py chat_prune` deletes a conversation of the "
        "chat page; each website has its own number. 0 keeps them until the visitor deletes them.",
        least=0,
        most=3650,
    ),
    Setting(
        name="CORRAL_LOAD_TEST_KEY",
        type=str,
        default="",
        help=(
            "Lets `manage.py loadtest` on another machine come in as many visitors; at least 16 "
            "random characters. Empty: only tests on the server itself."
        ),
        is_secret=True,
    ),
    Setting(
        name="CORRAL_API_DOCS",
        type=bool,
        default=True,
        help="Show the description of the API at /api/v1/schema/ and /api/v1/docs/.",
    ),
    Setting(
        name="CORRAL_METRICS_TOKEN",
        type=str,
        default="",
        help=(
            "Whoever sends it as a bearer token may read /metrics; at least 20 random characters. "
            "Empty: nobody by token."
        ),
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
    ),
    number(
        "CORRAL_AUDIT_DAYS",
        365,
        "Days until `manage.py chat_prune` deletes an entry of the audit log, which says who of "
        "the staff changed what. 0 keeps them.",
        least=0,
        most=3650,
    ),
    number(
        "CORRAL_SIGN_INS_PER_ADDRESS",
        20,
        "Attempts to sign in to the admin that may fail in a quarter of an hour from one address "
        "block (/24, /56). 0 sets no limit.",
        least=0,
        most=10_000,
    ),
    number(
        "CORRAL_SIGN_INS_PER_ACCOUNT",
        10,
        "Attempts to sign in to one account that may fail in a quarter of an hour, wherever they "
        "come from; where its owner has signed in before has as many of its own. 0 sets no limit.",
        least=0,
        most=10_000,
    ),
    Setting(
        name="CORRAL_VAR_DIR",
        type=Path,
        default=Path("var"),
        help="Directory for everything the server writes: database, pool socket, development key.",
    ),
    Setting(
        name="CORRAL_BACKUP_DIR",
        type=str,
        default="",
        help="Directory for what `manage.py backup` writes; empty means backups in the var "
        "directory. Another disk is better.",
    ),
    Setting(
        name="CORRAL_LOG_FORMAT",
        type=str,
        default="plain",
        choices=("plain", "json"),
        help="Lines of the log for people, or one JSON object each for machines.",
    ),
    Setting(
        name="CORRAL_ACCESS_LOG",
        type=bool,
        default=False,
        help=(
            "Write a line for every request and every closed socket: its id, the kind of page, "
            "status and time. A proxy in front usually does that already."
        ),
    ),
)
