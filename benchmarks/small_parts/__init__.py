"""What ``python -m benchmarks small`` measures, a part to a file."""
