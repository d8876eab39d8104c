#!/bin/sh
# Installs Corral on a small server as a system service, behind Caddy or nginx. It may be run again at
# any time: to go on after an interruption, to bring a newer version, to change an option. What the
# owner has written (.env, database, models, a changed site file) is never overwritten.
# docs/small-server.md, "Installing it", says the rest.
set -eu
umask 022
# One order for sort and comm, and the English of the programs that are asked.
export LC_ALL=C

usage() {
    cat <<'END'
Usage: sh deploy/small/install.sh --host NAME [options]

  --host NAME     the name visitors use, like chat.example.org
  --proxy WHICH   caddy (default; it gets the certificate by itself), nginx, or none
  --to DIR        where Corral lives (/opt/corral)
  --model FILE    a GGUF file to bring along
  --memory MIB    memory of the machine, if it is not this one's
  --dry-run       say every step and change nothing
  --root DIR      below DIR in place of /: a trial, which starts and installs no programs
END
}

die() {
    echo "install.sh: $*" >&2
    exit 2
}

host='' proxy=caddy to=/opt/corral model='' memory='' is_dry='' root=''
while [ $# -gt 0 ]; do
    case $1 in
    --dry-run) is_dry=yes ;;
    -h | --help) usage && exit 0 ;;
    --host | --proxy | --to | --model | --memory | --root)
        [ $# -ge 2 ] || die "$1 wants a value"
        case $1 in
        --host) host=$2 ;;
        --proxy) proxy=$2 ;;
        --to) to=$2 ;;
        --model) model=$2 ;;
        --memory) memory=$2 ;;
        --root) root=$2 ;;
        esac
        shift
        ;;
    *) die "unknown option $1 (--help lists them)" ;;
    esac
    shift
done

# These words end up in units, in sed and in the proxy's file.
case $host in
'') usage >&2 && die "--host is missing" ;;
*[!A-Za-z0-9.-]* | [.-]*) die "--host $host is not the name of a host" ;;
esac
case $proxy in caddy | nginx | none) ;; *) die "--proxy is caddy, nginx or none" ;; esac
case $to in
*[!A-Za-z0-9_./-]* | *..*) die "--to $to: letters, digits and _ . - / only" ;;
/home/* | /root/* | /tmp/* | /var/tmp/* | /run/* | /dev/*) die "--to $to: a service does not see it" ;;
/?*) to=${to%/} ;;
*) die "--to must be an absolute path" ;;
esac
case $memory in *[!0-9]*) die "--memory is a number of MiB" ;; esac
[ -z "$model" ] || [ -f "$model" ] || die "there is no file $model"
case $root in '' | /?*) root=${root%/} ;; *) die "--root must be an absolute path" ;; esac
[ -n "$root$is_dry" ] || [ "$(id -u)" = 0 ] || die "run it as root, or with --dry-run or --root DIR"

here=$(cd "$(dirname "$0")" && pwd)
source_dir=$(cd "$here/../.." && pwd)
target=$root$to

. "$here/doing.sh"
. "$here/memory.sh"
. "$here/steps.sh"

only_one
choose_limits
say "Corral for $host in $target, behind $proxy"
say "memory: $limits_told"
packages
own_user
project
model_file
settings
python_environment
rights
units
site
start
hint
