"""Unit tests of the page's own modules, run by node."""

from __future__ import annotations
