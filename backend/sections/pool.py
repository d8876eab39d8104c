"""How many answers are written at once, how long anybody waits, and where the pool runs."""

from __future__ import annotations

from backend.setting import Setting, number

SETTINGS: tuple[Setting, ...] = (
    number(
        "CORRAL_MAX_INSTANCES",
        0,
        "Answers written at the same time at most; 0 means the profile's. An instance costs "
        "megabytes, not a model.",
        least=0,
        most=64,
        alias="maxInstances",
    ),
    number(
        "CORRAL_HOT_INSTANCES",
        0,
        "Instances that are always there; 0 means the profile's, or as many as "
        "CORRAL_MAX_INSTANCES if that is set. Others come and go with demand.",
        least=0,
        most=64,
    ),
    Setting(
        name="CORRAL_PEAK_HOURS",
        type=str,
        default="",
        help=(
            "Hours (UTC) and how many instances are always there then: "
            "Mon-Fri 08:00-18:00=4; Sat,Sun 10:00-14:00=2, for example."
        ),
    ),
    number(
        "CORRAL_TIMEOUT_MS",
        120_000,
        "Longest wait in the queue, in milliseconds.",
        least=100,
        most=3_600_000,
    ),
    number(
        "CORRAL_FIRST_TOKEN_TIMEOUT_MS",
        30_000,
        "Longest wait for the first word once an answer was started, in milliseconds; a long "
        "conversation gets three times what reading it should take.",
        least=1000,
        most=3_600_000,
    ),
    number(
        "CORRAL_STALL_TIMEOUT_MS",
        20_000,
        "An answer without any progress for so many milliseconds is given up; a pool process that "
        "shows no sign of life for so long is replaced, and its answers go on in the new one.",
        least=1000,
        most=600_000,
    ),
    number(
        "CORRAL_TOTAL_TIMEOUT_MS",
        180_000,
        "Longest time for one answer once it was started, in milliseconds.",
        least=1000,
        most=3_600_000,
    ),
    number(
        "CORRAL_QUEUE_SIZE",
        32,
        "Questions that may wait for an instance; the next one is refused with a time to retry.",
        least=1,
        most=10_000,
    ),
    number(
        "CORRAL_MAX_WAITING_TOKENS",
        0,
        "Work that may wait, in tokens to be read and written; 0 means sixteen full conversations.",
        least=0,
        most=100_000_000,
    ),
    number(
        "CORRAL_MAX_INFLIGHT",
        2,
        "Questions one visitor may have waiting or running at the same time.",
        least=1,
        most=64,
    ),
    number(
        "CORRAL_MAX_RUNNING_PER_VISITOR",
        2,
        "Answers one visitor may have written at the same time.",
        least=1,
        most=64,
    ),
    number(
        "CORRAL_MAX_INFLIGHT_PER_ADDRESS",
        16,
        "Questions that may wait or run at the same time from one network address (IPv6: from one "
        "network).",
        least=1,
        most=10_000,
    ),
    number(
        "CORRAL_MAX_TOK_S",
        0.0,
        "Paces every instance to so many tokens a second; 0 means as fast as possible.",
        least=0,
        most=100_000,
    ),
    Setting(
        name="CORRAL_POOL_MODE",
        type=str,
        default="process",
        choices=("process", "thread"),
        help="Where the pool runs: in a process of its own, or in a thread (tests and scripts).",
    ),
    Setting(
        name="CORRAL_POOL_URL",
        type=str,
        default="",
        help=(
            "Use the pool that `manage.py runpool` serves on this machine "
            "(unix:///run/corral-pool/pool.sock); empty means a pool of this server's own."
        ),
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
    ),
    Setting(
        name="CORRAL_AUTOSTART",
        type=bool,
        default=True,
        help="Start the pool together with the web server.",
    ),
    Setting(
        name="CORRAL_POOL_PUBLIC",
        type=bool,
        default=True,
        help="Everybody may see the three lines of /pool; false keeps them for staff.",
    ),
    number(
        "CORRAL_POOL_WATCHERS",
        50,
        "Of the public, how many may follow /pool live at the same time; 0 lets only staff.",
        least=0,
        most=10_000,
    ),
)
