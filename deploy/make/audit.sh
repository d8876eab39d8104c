#!/bin/sh
# Looks whether pinned packages have known vulnerabilities; see audit.py.
# Ends with 0 when nothing is open, or when the list of vulnerabilities cannot be reached and
# CORRAL_REQUIRE_AUDIT is not set.
set -eu
cd "$(dirname "$0")/../.."
exec .venv/bin/python -m deploy.make.audit "$@"
