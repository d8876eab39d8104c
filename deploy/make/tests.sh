#!/bin/sh
# Runs pytest apart from everything else on the machine: no setting of the owner's shell or .env
# counts, and the test database and sockets live in a directory of their own.
# Usage: tests.sh fast|slow [arguments for pytest]
#        tests.sh postgres|stores [arguments for pytest]
# "stores" is what several web processes share, on a PostgreSQL and a Redis; "slow" without arguments
# runs it too. "postgres" is everything that uses the database, on a PostgreSQL.
set -eu
kind=$1
shift
here=$(dirname "$0")
python=$here/../../.venv/bin/python

for name in $(env | sed -n 's/^\(CORRAL_[A-Z0-9_]*\|maxInstances\|DJANGO_[A-Z_]*\|SECRET_KEY[A-Z_]*\)=.*/\1/p'); do
    case $name in
    CORRAL_REQUIRE_BROWSER | CORRAL_REQUIRE_STORES | CORRAL_CHROMIUM | CORRAL_SCREENSHOTS | CORRAL_SURVIVAL_MODEL) ;;
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
    CORRAL_VAR_DIR="$base/$name" $beside "$python" -m pytest --junitxml="$base/$name.xml" "$@"
}
beside=""

# The same beside servers of its own: run_with_stores postgres|redis|both NAME [arguments]
run_with_stores() {
    beside="sh $here/stores.sh $1"
    shift
    ended=0
    # What a test asks for in a loop of its own leaves a connection to Python's collector. That real
    # servers leave none is tested by itself: tests/e2e/test_connections.py.
    run_pytest "$@" -W "ignore:<psycopg.Connection object:ResourceWarning" || ended=$?
    beside=""
    # 69: not installed; 5: no such test.
    if [ "$ended" = 69 ] && [ "${CORRAL_REQUIRE_STORES:-}" != 1 ]; then
        echo "The tests on it are skipped."
        ended=0
    fi
    [ "$ended" != 5 ] || ended=0
    return "$ended"
}

run_on_postgres() {
    run_with_stores postgres postgres -m "(django_db or e2e) and not slow" "$@"
}

run_on_both() {
    run_with_stores both stores -m stores "$@"
}

case $kind in
slow)
    code=0
    run_pytest slow -m slow "$@" || code=$?
    # For the slow ones alone it is no failure either.
    [ "$code" != 5 ] || code=0
    [ $# != 0 ] || run_on_both || code=$?
    exit "$code"
    ;;
postgres)
    run_on_postgres "$@"
    exit
    ;;
stores)
    run_on_both "$@"
    exit
    ;;
esac
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
