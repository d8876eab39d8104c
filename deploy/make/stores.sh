#!/bin/sh
# Runs a command beside a PostgreSQL or a Redis of its own: empty, in a new directory, on Unix
# sockets only. They end with the command, however that ends.
# Usage: stores.sh postgres|redis|both COMMAND [arguments]
# The command finds DATABASE_URL and CORRAL_CACHE_URL set, and CORRAL_TEST_STORES=1, which says
# that everything in them may be thrown away. Code 69: a server is not installed.
set -eu

# The newest of PostgreSQL's programs; Debian keeps them out of PATH.
find_postgres() {
    initdb=$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)
    [ -n "$initdb" ] || return 1
    programs=$(dirname "$(readlink -f "$initdb")")
    # PostgreSQL refuses to run as root.
    owner=$(id -un)
    [ "$(id -u)" != 0 ] || owner=postgres
    id "$owner" >/dev/null 2>&1
}

as_owner() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && runuser -u "$owner" -- "$@")
    else
        "$@"
    fi
}

start_postgres() {
    mkdir -m 0700 "$base/pg"
    [ "$(id -u)" != 0 ] || chown "$owner" "$base/pg"
    # A language's order of letters, as most servers have it, is not that of bytes.
    set -- "$programs/initdb" -D "$base/pg/data" -U corral --auth=trust --encoding=UTF8 --no-sync
    as_owner "$@" --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US >"$base/initdb.log" 2>&1 ||
        as_owner "$@" --locale=C >"$base/initdb.log" 2>&1 || { cat "$base/initdb.log" >&2; return 1; }
    as_owner "$programs/pg_ctl" -D "$base/pg/data" -w -t 60 -l "$base/pg/log" -o "-c listen_addresses= \
        -c unix_socket_directories=$base/pg -c fsync=off -c synchronous_commit=off \
        -c full_page_writes=off -c max_connections=200 -c timezone=Asia/Kolkata" start >/dev/null ||
        { cat "$base/pg/log" >&2; return 1; }
    as_owner "$programs/createdb" -h "$base/pg" -U corral corral
    export DATABASE_URL="postgres://corral@/$base/pg/corral"
}

start_redis() {
    # Many databases: every server of a test gets one.
    redis-server --port 0 --unixsocket "$base/redis.sock" --unixsocketperm 700 --dir "$base" \
        --save '' --appendonly no --databases 1000 --daemonize yes --pidfile "$base/redis.pid" \
        --logfile "$base/redis.log" >/dev/null
    tries=0
    until [ -S "$base/redis.sock" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || { cat "$base/redis.log" >&2; return 1; }
        sleep 0.1
    done
    export CORRAL_CACHE_URL="unix://$base/redis.sock?db=0"
}

end_all() {
    if [ -e "$base/pg/data/postmaster.pid" ] && find_postgres; then
        as_owner "$programs/pg_ctl" -D "$base/pg/data" -m immediate stop >/dev/null 2>&1 || true
    fi
    if [ -e "$base/redis.pid" ]; then
        redis=$(cat "$base/redis.pid")
        kill "$redis" 2>/dev/null || true
        tries=0
        while kill -0 "$redis" 2>/dev/null && [ "$tries" -lt 50 ]; do
            tries=$((tries + 1))
            sleep 0.1
        done
    fi
    rm -rf "$base"
}

if [ "$1" = guard ]; then
    # A process of its own, which nobody's Ctrl-C reaches: it waits until the other end of the pipe
    # is closed, which the kernel does for whoever was killed.
    base=$2
    trap '' INT TERM HUP
    read -r _ <"$base/alive" || true
    end_all
    exit 0
fi

case $1 in
postgres | both)
    find_postgres || {
        echo "PostgreSQL is not installed (Debian: apt-get install postgresql)." >&2
        exit 69
    }
    ;;
esac
case $1 in
redis | both)
    command -v redis-server >/dev/null || {
        echo "Redis is not installed (Debian: apt-get install redis-server)." >&2
        exit 69
    }
    ;;
esac

# Short on purpose: the path of a Unix socket has at most 107 bytes.
base=$(mktemp -d /tmp/corral-st.XXXXXX)
chmod 0711 "$base"
mkfifo "$base/alive"
$(command -v setsid || true) sh "$0" guard "$base" &
guard=$!
exec 9>"$base/alive"
trap 'exec 9>&-; wait "$guard" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM HUP

case $1 in postgres | both) start_postgres 9>&- ;; esac
case $1 in redis | both) start_redis 9>&- ;; esac
shift
export CORRAL_TEST_STORES=1
code=0
"$@" 9>&- || code=$?
exit "$code"
