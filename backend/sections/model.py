"""Which model, and what the engine may take of the machine."""

from __future__ import annotations

from backend.setting import Setting, number

SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="CORRAL_MODEL_PATH",
        type=str,
        default="",
        help="The GGUF file to use; empty means the best one found, else the demo model.",
    ),
    Setting(
        name="CORRAL_QUANT",
        type=str,
        default="",
        help="Preferred quantisation when several model files are there (Q5_K_M, Q8_0, Q4_K_M).",
    ),
    Setting(
        name="CORRAL_PROFILE",
        type=str,
        default="auto",
        help=(
            "A named set of engine limits: small, standard, large, or auto for this machine's; "
            "classic is there to compare with, and slower."
        ),
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
    ),
    number(
        "CORRAL_N_CTX",
        0,
        "Context of one conversation in tokens; 0 means the profile's.",
        least=0,
        most=131_072,
    ),
    number(
        "CORRAL_THREADS",
        0,
        "Threads of llama.cpp; 0 means the CPU quota of this machine or container, and one for a "
        "model as small as the demo.",
        least=0,
        most=256,
    ),
    number(
        "CORRAL_PARKED_MB",
        -1,
        "Memory for conversations that hold no instance, in MB, so that their next turn begins at "
        "once; -1 means the profile's, 0 none.",
        least=-1,
        most=1_000_000,
    ),
    number(
        "CORRAL_CHUNK_TOKENS",
        0,
        "Tokens of a question read in one step while nobody else is answered; 0 means the "
        "profile's. Fewer make reading slower and save next to nothing.",
        least=0,
        most=4096,
    ),
    number(
        "CORRAL_TARGET_ITL_MS",
        0,
        "Longest time between two words of a running answer that reading somebody else's question "
        "may cause, in milliseconds; 0 means the profile's.",
        least=0,
        most=60_000,
    ),
    Setting(
        name="CORRAL_FLASH_ATTENTION",
        type=str,
        default="auto",
        choices=("auto", "on", "off"),
        help="llama.cpp's faster attention; auto means the profile's. Off costs a third of speed.",
    ),
    number(
        "CORRAL_REPEAT_LAST_N",
        -1,
        "Last tokens of an answer that should not be repeated; -1 means the profile's.",
        least=-1,
        most=4096,
    ),
    number(
        "CORRAL_IDLE_SLEEP_MIN",
        0,
        "Give the model's memory back after so many minutes without a question; the next one loads "
        "it again. 0 means never.",
        least=0,
        most=10_080,
    ),
    number(
        "CORRAL_GPU_LAYERS",
        0,
        "Layers of the model to keep on a GPU; 0 means none.",
        least=0,
        most=1000,
    ),
)
