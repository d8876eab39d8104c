#!/bin/sh
# Brings a virtual environment up to date; costs a few milliseconds when it already is.
# Usage: install.sh web|dev|train
set -eu
cd "$(dirname "$0")/../.."

case $1 in
train) venv=.venv-train ;;
*) venv=.venv ;;
esac

if [ -x "$venv/bin/python" ] && "$venv/bin/python" -E -m deploy.make.environment --is-current "$1" 2>/dev/null; then
    exit 0
fi
python=$(sh deploy/make/preflight.sh)
exec "$python" -E -m deploy.make.environment "$1"
