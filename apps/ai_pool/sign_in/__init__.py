"""Signing in to the admin: nobody may try passwords for long."""

from __future__ import annotations
