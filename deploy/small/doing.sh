# How install.sh does things: says them first, does nothing in a dry run, and leaves no half files.
# shellcheck shell=sh disable=SC2154

say() { echo "  $*"; }

# A step that changes files below $root.
run() {
    [ -z "$is_dry" ] || { say "would: $*" && return 0; }
    "$@"
}

# A step that changes the running system: users, packages, services.
on_system() {
    [ -z "$is_dry$root" ] || { say "would: $*" && return 0; }
    say "$*"
    "$@"
}

has() { command -v "$1" >/dev/null 2>&1; }

only_one() {
    [ -z "$is_dry" ] || return 0
    mkdir -p "$target/.installed"
    # Held until this script ends, however that happens.
    exec 9>"$target/.installed/lock"
    flock -n 9 || die "another installation runs in $target"
}

# write_file PATH MODE: standard input becomes the file, all of it or nothing.
write_file() {
    if [ -n "$is_dry" ]; then
        cat >/dev/null
        say "would: write $1"
        return 0
    fi
    mkdir -p "${1%/*}"
    # Nobody else reads it before it has its mode.
    (umask 077 && cat >"$1.part")
    chmod "$2" "$1.part"
    if cmp -s "$1.part" "$1"; then
        rm "$1.part"
    else
        mv -f "$1.part" "$1"
        say "wrote $1"
    fi
}

# write_owned PATH MODE: as write_file, but what somebody has changed since stays; ours goes beside it.
write_owned() {
    stamp=$target/.installed/$(echo "$1" | cksum | cut -d' ' -f1)
    if [ -f "$1" ] && ! { [ -f "$stamp" ] && [ "$(cksum <"$1")" = "$(cat "$stamp")" ]; }; then
        say "$1 is yours and stays; what it would be now is in $1.corral"
        write_file "$1.corral" "$2"
        return 0
    fi
    write_file "$1" "$2"
    [ -n "$is_dry" ] || cksum <"$1" | write_quietly "$stamp"
}

write_quietly() {
    mkdir -p "${1%/*}"
    cat >"$1.part"
    mv -f "$1.part" "$1"
}
