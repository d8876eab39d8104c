#!/bin/sh
# Collects the texts visitors read into locale/*/LC_MESSAGES/*.po, or with "compile" turns those
# into the .mo files the server reads. Works on the directory it is started in. Needs gettext.
# Usage: texts.sh [compile]
set -eu
python=$(cd "$(dirname "$0")/../.." && pwd)/.venv/bin/python
unset DJANGO_SETTINGS_MODULE PYTHONPATH

command -v msgfmt >/dev/null || {
    echo "corral: the catalogs need gettext: sudo apt-get install gettext" >&2
    exit 1
}
if [ "${1:-}" = compile ]; then
    for catalog in locale/*/LC_MESSAGES/*.po; do
        msgfmt --check-format -o "${catalog%.po}.mo" "$catalog"
    done
    exit
fi
for domain in django djangojs; do
    "$python" -m django makemessages --all --domain "$domain" --no-wrap --no-obsolete \
        --add-location file --ignore var --ignore staticfiles --ignore tests --ignore build
done
