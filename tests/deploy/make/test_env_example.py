"""``deploy/.env.example`` is the table of settings, written out."""

from __future__ import annotations

from backend.env import SETTINGS, read_settings
from deploy.make.env_example import PATH, env_example


def test_the_file_is_up_to_date() -> None:
    assert PATH.read_text() == env_example(), "run: .venv/bin/python -m deploy.make.env_example"


def test_it_is_complete() -> None:
    for setting in SETTINGS:
        assert f"\n#{setting.name}=" in env_example()


def test_uncommented_it_means_the_defaults() -> None:
    """Whoever removes every # gets what he had before."""
    lines = [line[1:] for line in env_example().splitlines() if line.startswith("#CORRAL_")]
    written: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition("=")
        written[name] = value.strip('"')
    assert read_settings(written) == read_settings({})
