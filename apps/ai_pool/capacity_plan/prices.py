"""Servers one can rent, from the dated file ``prices.json`` beside this module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).with_name("prices.json")


@dataclass(frozen=True, slots=True)
class Server:
    """What a provider calls it, and what it costs in a month."""

    name: str
    monthly: int


@dataclass(frozen=True, slots=True)
class Size:
    """A size of server that every provider has."""

    num_cpus: int
    memory_gb: int
    servers: Mapping[str, Server]


@dataclass(frozen=True, slots=True)
class PriceList:
    """Sizes from small to large, and when their prices were looked up."""

    as_of: str
    currency: str
    note: str
    sizes: tuple[Size, ...]


def read_prices(path: Path = PATH) -> PriceList:
    """Return the price list."""
    found = json.loads(path.read_text())
    sizes = tuple(
        Size(
            one["num_cpus"],
            one["memory_gb"],
            {provider: Server(*server) for provider, server in one["servers"].items()},
        )
        for one in found["sizes"]
    )
    return PriceList(found["as_of"], found["currency"], found["note"], sizes)
