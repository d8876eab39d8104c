"""Who changed what and from where: rows that outlive the accounts and things they tell of."""

from __future__ import annotations
