"""Simulated visitors over real WebSockets, and what they met, for every size of the pool."""
