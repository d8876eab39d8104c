#!/bin/sh
# Looks for what an installation needs before anything long begins. Prints the Python to use, or
# says in one sentence what is missing and which line mends it, and exits 1.
# PYTHON=/path/to/python chooses the Python. With a wheel of `make wheel` no compiler is needed.
set -u

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

has() { command -v "$1" >/dev/null 2>&1; }

python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if has "$candidate" && is_new_enough "$candidate"; then
        python=$candidate
        break
    fi
done

missing=
apt=
dnf=
lacks() { # what it is called, Debian's package, Fedora's package
    missing="${missing:+$missing, }$1"
    apt="$apt $2"
    dnf="$dnf $3"
}

has_compiler() {
    [ -n "${CXX:-}" ] && { has "${CXX%% *}"; return; }
    { has c++ || has g++ || has clang++; } && { has cc || has gcc || has clang; }
}

has_wheel() { # one that fits: ready_wheel.py looks as the installation will
    [ -d wheels ] && [ -n "$python" ] && "$python" -E -m deploy.make.ready_wheel >/dev/null 2>&1
}

if [ -z "$python" ]; then
    if has "${PYTHON:-python3}"; then
        found=$("${PYTHON:-python3}" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null)
        lacks "Python 3.11 or newer (${PYTHON:-python3} is ${found:-not usable})" \
            "python3.11 python3.11-dev python3.11-venv" "python3.11 python3.11-devel"
    else
        lacks "Python 3.11 or newer" "python3 python3-dev python3-venv" "python3 python3-devel"
    fi
else
    # Debian splits Python into packages; those of python3.12 are called python3.12-dev and so on.
    name=${python##*/}
    case $name in python3.*) ;; *) name=python3 ;; esac
    header='import os, sys, sysconfig as s; sys.exit(not os.path.exists(s.get_path("include") + "/Python.h"))'
    has_wheel || "$python" -c "$header" >/dev/null 2>&1 || lacks "Python's header files" "$name-dev" "$name-devel"
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        lacks "Python's venv module" "$name-venv" "$name"
fi
has_wheel || has_compiler || lacks "a C++ compiler" "g++" "gcc-c++"
has make || lacks "make" "make" "make"

if [ -z "$missing" ]; then
    echo "$python"
    exit 0
fi

sudo=
[ "$(id -u)" = 0 ] || sudo="sudo "
if has apt-get; then
    mend="; this line mends it: ${sudo}apt-get update && ${sudo}apt-get install -y$apt"
elif has dnf; then
    mend="; this line mends it: ${sudo}dnf install -y$dnf"
else
    mend="; install with your system's package manager what Debian calls:$apt"
fi
echo "Corral cannot be installed yet, because this machine lacks $missing$mend" >&2
exit 1
