"""Sites in the admin: everything an owner sets, and the tag to paste."""

from __future__ import annotations

from apps.widget.admin.erasure_admin import ErasureAdmin
from apps.widget.admin.site_admin import SiteAdmin

__all__ = ["ErasureAdmin", "SiteAdmin"]
