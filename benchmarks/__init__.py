"""Benchmarks: what stands behind every number in the documentation. Run ``python -m benchmarks
--help``."""
