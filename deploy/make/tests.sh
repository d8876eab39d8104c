#!/bin/sh
# Runs pytest apart from everything else on the machine: no setting of the owner's shell or .env
# counts, and the test database and sockets live in a directory of their own.
# Usage: tests.sh fast|slow [arguments for pytest]
set -eu
kind=$1
shift
python=$(dirname "$0")/../../.venv/bin/python

for name in $(env | sed -n 's/^\(CORRAL_[A-Z0-9_]*\|maxInstances\|DJANGO_[A-Z_]*\|SECRET_KEY[A-Z_]*\)=.*/\1/p'); do
    case $name in
    CORRAL_REQUIRE_BROWSER | CORRAL_CHROMIUM | CORRAL_SCREENSHOTS | CORRAL_SURVIVAL_MODEL) ;;
    *) unset "$name" ;;
    esac
done
unset DEBUG ALLOWED_HOSTS CSRF_TRUSTED_ORIGINS DATABASE_URL SECURE_SSL_REDIRECT NUM_PROXIES LOG_LEVEL
unset PYTHONPATH

# Short on purpose: the path of a Unix socket has at most 107 bytes.
var=$(mktemp -d /tmp/corral.XXXXXX)
trap 'rm -rf "$var"' EXIT
trap 'exit 130' INT TERM HUP
export CORRAL_VAR_DIR="$var" CORRAL_ENV_FILE=""

marks="not slow"
[ "$kind" = slow ] && marks=slow
code=0
"$python" -m pytest -m "$marks" --junitxml="$var/report.xml" "$@" || code=$?
# 5: there is no such test. For the slow ones alone that is no failure.
[ "$kind" = slow ] && [ "$code" = 5 ] && code=0
[ "$code" = 0 ] || exit "$code"

# Asked for a browser, a skipped browser test is a failure.
if [ "${CORRAL_REQUIRE_BROWSER:-}" = 1 ] && [ "$kind" = fast ] && [ $# = 0 ]; then
    "$python" "$(dirname "$0")/browser_report.py" "$var/report.xml"
fi
