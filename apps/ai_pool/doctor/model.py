"""The model file: there, sound, and the one it claims to be."""

from __future__ import annotations

from ai_model.catalog import CATALOG, UnknownModel
from ai_model.checksums import ChecksumMismatch
from ai_model.model_file import BadModelFile
from apps.ai_pool import conf
from apps.ai_pool.doctor.finding import Finding, Level, good

FETCH = "Run `manage.py model fetch`, or set CORRAL_MODEL_PATH to a GGUF file."


def check_model() -> list[Finding]:
    """Look into the file and compare its checksum, which is computed once for a file."""
    try:
        plan = conf.pool_plan()
    except BadModelFile as error:
        return [Finding("model-unusable", Level.ERROR, str(error), FETCH)]
    except UnknownModel as error:
        fix = "Change CORRAL_QUANT to a quantisation that `manage.py model list` shows."
        return [Finding("model-unknown", Level.ERROR, str(error), fix)]
    except conf.ImpossibleSetting as error:
        fix = "Change the setting that the sentence names; docs/settings.md has the limits."
        return [Finding("settings-impossible", Level.ERROR, str(error), fix)]
    path = plan.chosen.path
    expected = next((one.sha256 for one in CATALOG if one.filename == path.name), None)
    book = conf.model_store().checksums
    try:
        book.verify(path, expected)
    except ChecksumMismatch as error:
        fix = "Delete the file and fetch it again: `manage.py model fetch --force`."
        return [Finding("model-damaged", Level.ERROR, str(error), fix)]
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror})."
        return [Finding("model-unreadable", Level.ERROR, reason, f"Let the server read it: {path}")]
    name = f"{plan.info.title} {plan.info.quant}".strip()
    if plan.info.is_demo:
        return [
            Finding(
                "model-is-demo",
                Level.NOTE,
                "The small demo model answers; it is for trying things out.",
                "Fetch the real one with `make model` (0.8 GB).",
            )
        ]
    how = "its checksum is right" if expected or book.pinned(path.name) else "no checksum is known"
    return [good("model", f"{name}: sound, and {how}.")]
