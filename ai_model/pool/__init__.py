"""The pool: one engine, a line in front of it, and the protocol by which web processes use it.

Web processes import ``client``, ``supervisor`` and the values they carry; those bring in neither
Django nor llama.cpp. The pool process runs ``python -m ai_model.pool``.
"""

from __future__ import annotations
