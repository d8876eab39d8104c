"""Tests of the pool."""

from __future__ import annotations
