"""Every system check of this project: its id, which settings it looks at, and what it means.

The ids never change, so that scripts and SILENCED_SYSTEM_CHECKS can name them. ``docs/checks.md``
is written from this table, and a test compares it with the checks themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.env import SETTINGS
from backend.setting import WRONG_VALUE_ID

SITE_TABLE = "a site in the admin"
_TIMEOUTS = (
    "CORRAL_FIRST_TOKEN_TIMEOUT_MS",
    "CORRAL_STALL_TIMEOUT_MS",
    "CORRAL_TOTAL_TIMEOUT_MS",
)
_POOL_LIMITS = (
    "CORRAL_MAX_INSTANCES",
    "CORRAL_HOT_INSTANCES",
    "CORRAL_PEAK_HOURS",
    "CORRAL_PROFILE",
    "CORRAL_N_CTX",
    "CORRAL_MAX_TOKENS",
    "CORRAL_POOL_URL",
    "CORRAL_VAR_DIR",
)


@dataclass(frozen=True, slots=True)
class KnownCheck:
    """One thing that can be wrong."""

    id: str
    meaning: str
    settings: tuple[str, ...] = ()
    """Empty: it is not about a setting."""

    @property
    def is_error(self) -> bool:
        """Whether ``serve`` and the systemd units refuse to start."""
        return self.id.startswith("corral.E")


CHECKS: tuple[KnownCheck, ...] = (
    KnownCheck("corral.W001", "The model file cannot be used.", ("CORRAL_MODEL_PATH",)),
    KnownCheck(
        "corral.W002",
        "Model and instances need more memory than there is.",
        ("CORRAL_MAX_INSTANCES", "CORRAL_N_CTX"),
    ),
    KnownCheck(
        "corral.W003", "ALLOWED_HOSTS lets pages of any site open the chat.", ("ALLOWED_HOSTS",)
    ),
    KnownCheck("corral.E001", "Limits that cannot work, or not together.", _POOL_LIMITS),
    KnownCheck("corral.E002", "There is no such quantisation.", ("CORRAL_QUANT",)),
    KnownCheck("corral.E003", "The installed Daphne does not limit the size of messages."),
    KnownCheck(
        "corral.E004", "Layers for a GPU that this llama.cpp cannot use.", ("CORRAL_GPU_LAYERS",)
    ),
    KnownCheck(
        "corral.E005", "The pool's socket is in a place that cannot be used.", ("CORRAL_POOL_URL",)
    ),
    KnownCheck(
        "corral.E006",
        "Instances and parked conversations alone need more memory than there is.",
        ("CORRAL_MAX_INSTANCES", "CORRAL_N_CTX", "CORRAL_PARKED_MB"),
    ),
    KnownCheck("corral.E010", f"{SITE_TABLE}: an allowed origin that allows nothing."),
    KnownCheck("corral.W010", f"{SITE_TABLE}: no origin is allowed."),
    KnownCheck("corral.W011", f"{SITE_TABLE}: an origin that strangers can have, too."),
    KnownCheck("corral.W012", f"{SITE_TABLE}: an origin without encryption."),
    KnownCheck("corral.W013", f"{SITE_TABLE}: nobody to ask while the assistant is away."),
    KnownCheck("corral.W014", f"{SITE_TABLE}: consent is asked for without a text."),
    KnownCheck("corral.W015", f"{SITE_TABLE}: no privacy page."),
    KnownCheck("corral.E020", "An entry that is no address or network.", ("CORRAL_METRICS_ALLOW",)),
    KnownCheck(
        "corral.W020", "The token for the metrics can be guessed.", ("CORRAL_METRICS_TOKEN",)
    ),
    KnownCheck("corral.W021", "Everybody may read the metrics.", ("CORRAL_METRICS_ALLOW",)),
    KnownCheck(
        WRONG_VALUE_ID,
        "A value of the wrong kind, or outside its limits; all such values are named at once, "
        "and no command runs.",
        (
            *(setting.name for setting in SETTINGS if setting.can_be_wrong),
            *("DATABASE_URL", "CORRAL_CACHE_URL", "CORRAL_VAR_DIR", "SECRET_KEY"),
        ),
    ),
    KnownCheck("corral.W031", "A time limit that comes after the end.", _TIMEOUTS),
    KnownCheck(
        "corral.W032",
        "A share that is larger than what it is a share of.",
        (
            "CORRAL_MAX_INFLIGHT",
            "CORRAL_MAX_RUNNING_PER_VISITOR",
            "CORRAL_MAX_INFLIGHT_PER_ADDRESS",
        ),
    ),
    KnownCheck("corral.W033", "Answers come slower than they are read.", ("CORRAL_MAX_TOK_S",)),
    KnownCheck(
        "corral.W034", "The line has no room for one question.", ("CORRAL_MAX_WAITING_TOKENS",)
    ),
    KnownCheck("corral.W035", "The system prompt leaves little room.", ("CORRAL_SYSTEM_PROMPT",)),
    KnownCheck("corral.W036", "More threads than may run at once.", ("CORRAL_THREADS",)),
    KnownCheck(
        "corral.E037",
        "A limit of tokens that no answer fits in.",
        (
            *("CORRAL_TOKENS_PER_HOUR", "CORRAL_TOKENS_PER_DAY"),
            *("CORRAL_ANONYMOUS_TOKENS_PER_HOUR", "CORRAL_ANONYMOUS_TOKENS_PER_DAY"),
            *("CORRAL_SITE_TOKENS_PER_HOUR", "CORRAL_SITE_TOKENS_PER_DAY"),
        ),
    ),
    KnownCheck("corral.W040", "Nobody starts a pool.", ("CORRAL_AUTOSTART", "CORRAL_POOL_URL")),
    KnownCheck(
        "corral.W041", "The pool runs in the web process in production.", ("CORRAL_POOL_MODE",)
    ),
    KnownCheck(
        "corral.W042",
        "The quantisation that is asked for is not used.",
        ("CORRAL_QUANT", "CORRAL_MODEL_PATH"),
    ),
    KnownCheck("corral.E050", "An entry that is no host name.", ("ALLOWED_HOSTS",)),
    KnownCheck("corral.W051", "Only this machine's own names in production.", ("ALLOWED_HOSTS",)),
    KnownCheck("corral.E052", "An origin that no browser ever sends.", ("CSRF_TRUSTED_ORIGINS",)),
    KnownCheck("corral.E053", "Error pages with source text in production.", ("DEBUG",)),
    KnownCheck(
        "corral.W054",
        "Behind a proxy everybody is sent to HTTPS for ever.",
        ("NUM_PROXIES", "SECURE_SSL_REDIRECT"),
    ),
    KnownCheck("corral.W055", "The log tells too much in production.", ("LOG_LEVEL",)),
    KnownCheck("corral.W056", "The key is too short, and not obeyed.", ("CORRAL_LOAD_TEST_KEY",)),
    KnownCheck(
        "corral.W057", "A name that cannot be shown.", ("CORRAL_ASSISTANT_NAME", "CORRAL_SITE_NAME")
    ),
    KnownCheck(
        "corral.E060", "Data where everybody can fetch it.", ("CORRAL_VAR_DIR", "CORRAL_BACKUP_DIR")
    ),
    KnownCheck("corral.E061", "Backups cannot be written.", ("CORRAL_BACKUP_DIR",)),
    KnownCheck("corral.W062", "Where limits are counted nobody answers.", ("CORRAL_CACHE_URL",)),
)

DJANGOS_OWN = {
    "SECRET_KEY": "security.W009",
    "SECRET_KEY_FALLBACKS": "security.W025",
}
"""Settings that Django looks at, too."""


def checks_markdown() -> str:
    """The text of ``docs/checks.md``."""
    lines = [
        "# System checks",
        "",
        "`manage.py check` looks at the configuration, `check --deploy` also as Django wants it",
        "for a public site, `check --database default` also at the sites in the database. The",
        "server looks at all of it when it starts, and writes one block into its log. An id never",
        "changes: name it in scripts. `serve` and the systemd units refuse to start with an error",
        "(`E`), and start with warnings (`W`); what is wrong with a site of the admin",
        "(`corral.E010`) stops nobody.",
        "",
        "`manage.py doctor` looks further: at the machine, the data, and through the proxy.",
        "",
        "This page is written by `python manage.py checks_table --write`.",
        "",
        "| Id | What is wrong | Settings |",
        "|---|---|---|",
        *(
            f"| `{check.id}` | {check.meaning} | {_names(check)} |"
            for check in sorted(CHECKS, key=lambda one: (one.id[-3:], one.id))
        ),
        "",
        "## By setting",
        "",
        "| Setting | Looked at by |",
        "|---|---|",
        *(f"| `{setting.name}` | {', '.join(_ids_of(setting.name))} |" for setting in SETTINGS),
    ]
    return "\n".join(lines) + "\n"


def _names(check: KnownCheck) -> str:
    if check.id == WRONG_VALUE_ID:
        return "see below"
    return ", ".join(f"`{name}`" for name in check.settings) or "-"


def _ids_of(name: str) -> list[str]:
    ids = [f"`{check.id}`" for check in CHECKS if name in check.settings]
    if name in DJANGOS_OWN:
        ids.append(f"`{DJANGOS_OWN[name]}`")
    return ids or ["nothing can be wrong"]
