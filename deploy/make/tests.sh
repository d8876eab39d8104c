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
base=$(mktemp -d /tmp/corral.XXXXXX)
trap 'rm -rf "$base"' EXIT
trap 'exit 130' INT TERM HUP
export CORRAL_ENV_FILE=""

# Runs pytest with a directory of its own: run_pytest NAME [arguments]
run_pytest() {
    name=$1
    shift
    mkdir -p "$base/$name"
    CORRAL_VAR_DIR="$base/$name" "$python" -m pytest --junitxml="$base/$name.xml" "$@"
}

if [ "$kind" = slow ]; then
    code=0
    run_pytest slow -m slow "$@" || code=$?
    # 5: there is no such test. For the slow ones alone that is no failure.
    [ "$code" = 5 ] && code=0
    exit "$code"
fi
if [ $# != 0 ]; then
    run_pytest some -m "not slow" "$@"
    exit
fi

# Everything: tests in a browser mostly wait, so they run beside the others, and are shown after them.
run_pytest browser -m "not slow" tests/browser >"$base/browser.txt" 2>&1 &
browser=$!
trap 'kill "$browser" 2>/dev/null; wait "$browser" 2>/dev/null; exit 130' INT TERM HUP
code=0
run_pytest rest -m "not slow" --ignore=tests/browser || code=$?
echo "The tests in a browser run on; what they say comes when they are done."
wait "$browser" || code=$?
cat "$base/browser.txt"
[ "$code" = 0 ] || exit "$code"

# Asked for a browser, a skipped browser test is a failure.
if [ "${CORRAL_REQUIRE_BROWSER:-}" = 1 ]; then
    "$python" "$(dirname "$0")/browser_report.py" "$base/browser.xml"
fi
