"""The dated price list."""

from __future__ import annotations

from apps.ai_pool.capacity_plan.prices import read_prices


def test_sizes_rise_and_every_provider_has_each() -> None:
    prices = read_prices()
    assert prices.as_of[:2] == "20"
    sizes = [(size.num_cpus, size.memory_gb) for size in prices.sizes]
    assert sizes == sorted(sizes) == [(2, 4), (2, 8), (4, 16), (8, 32), (16, 64)]
    aws = {size.servers["AWS"].name: size.servers["AWS"].monthly for size in prices.sizes}
    assert aws == {
        "t3.medium": 30,
        "t3.large": 60,
        "m5.xlarge": 140,
        "m5.2xlarge": 280,
        "m5.4xlarge": 560,
    }
    azure = [size.servers["Azure"].monthly for size in prices.sizes]
    assert azure == [30, 60, 150, 300, 600]
