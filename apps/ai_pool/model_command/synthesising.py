"""``model synth``: writes TinyLlama with random weights."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from ai_model.catalog import DEFAULT_QUANT
from ai_model.hardware import num_usable_cpus
from ai_model.store import ModelStore
from ai_model.synthetic import QUANTS, SYNTHETIC_NAME, write_synthetic
from apps.ai_pool.model_command.progress import work_progress
from apps.ai_pool.model_command.subcommand import Subcommand
from apps.ai_pool.pool_command.screen import Screen


class SynthCommand(Subcommand):
    """As large, as slow and as hungry as the real one."""

    name = "synth"
    help = "write TinyLlama with random weights, to measure speed without a download"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which quantisation."""
        parser.add_argument("--quant", default=DEFAULT_QUANT, choices=QUANTS)
        parser.add_argument("--vocab", type=Path, help="a GGUF file with the tokenizer")

    def run(
        self, screen: Screen, store: ModelStore, *, quant: str, vocab: Path | None, **options: Any
    ) -> None:
        """Write it."""
        target = store.weights_dir / f"{SYNTHETIC_NAME}.{quant}.gguf"
        with work_progress(screen.console) as progress:
            bar = progress.add_task("fetching the tokenizer", total=1.0)
            write_synthetic(
                target,
                quant=quant,
                vocabulary=vocab,
                num_threads=num_usable_cpus(),
                on_progress=lambda share, what: progress.update(
                    bar, completed=share, description=what
                ),
            )
        size = target.stat().st_size / 1e6
        screen.say(f"Done. {store.show(target)}, {size:,.0f} MB.", "green")
        screen.say("It speaks word salad: for benchmarks, never for visitors.", "")
