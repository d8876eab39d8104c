"""Backups of everything that cannot be made again: database, secret key, settings. No models."""
