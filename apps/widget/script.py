"""The script tag's address and contents."""

from __future__ import annotations

import json
import logging
import re

from apps.widget.archive import find_release, keep_release
from apps.widget.release import LOADER, Release
from apps.widget.release_making import current_release

logger = logging.getLogger(__name__)
LOADER_PATH = "/w/v1.js"
_SITE_KEY = re.compile(r"site_[a-z0-9]{16}\Z")


def loader_url(base: str = "") -> str:
    """Address of the script that follows the product's version."""
    return base + LOADER_PATH


def pinned_loader(base: str = "") -> tuple[str, str]:
    """Address and integrity of the loader of exactly this version."""
    release = release_of(current_release().version)
    assert release is not None
    return f"{base}/w/{release.version}/{LOADER}", release.integrity


def loader(*, base: str, site: str) -> tuple[str, bytes]:
    """Version and text of the loader with the addresses filled in.

    A page's optimiser may take the tag's address and attributes away, so the script brings its own:
    where it comes from and, when the address named one, whose it is.
    """
    release = release_of(current_release().version)
    assert release is not None
    text = release.files[LOADER].decode()
    if not _SITE_KEY.match(site):
        site = ""
    for mark, value in (('"__BASE__"', base), ('"__SITE__"', site)):
        # Some optimisers put scripts into the page itself.
        text = text.replace(mark, json.dumps(value).replace("<", "\\u003c"))
    return release.version, text.encode()


def release_of(version: str) -> Release | None:
    """The release with this version: the current one or an earlier one that is still kept."""
    release = current_release()
    if version != release.version:
        return find_release(version)
    try:
        keep_release(release)
    except OSError as error:
        # The current files are served all the same; only pages of today lose them at a deploy.
        logger.warning("the widget's files could not be kept: %s", error)
    return release
