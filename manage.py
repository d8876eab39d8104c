#!/usr/bin/env python
"""Runs Django's commands for this project; ``python manage.py help`` lists them."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command; a configuration mistake is told in one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit(
            "Django is not installed in this Python; `make run` makes the environment for you."
        )
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"corral: {error}")


if __name__ == "__main__":
    main()
