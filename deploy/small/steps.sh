# The steps of install.sh, in its order. Each may be done again.
# shellcheck shell=sh disable=SC2154

packages() {
    missing=''
    has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null || missing="python3 python3-venv"
    has make || missing="$missing make"
    # A wheel that was brought along needs no compiler.
    if (cd "$source_dir" && python3 -E -m deploy.make.ready_wheel >/dev/null 2>&1); then
        has_gomp || missing="$missing libgomp1"
    else
        has g++ || missing="$missing g++"
        python3 -c "$python_header" 2>/dev/null || missing="$missing python3-dev"
    fi
    [ "$proxy" = none ] || has "$proxy" || missing="$missing $proxy"
    [ -n "$missing" ] || return 0
    if ! has apt-get; then
        say "install first what Debian calls:$missing"
        return 0
    fi
    # shellcheck disable=SC2086
    on_system apt-get install -y --no-install-recommends $missing
}

python_header='import os, sys, sysconfig as s
sys.exit(not os.path.exists(s.get_path("include") + "/Python.h"))'

# What a compiler would have brought along, and llama.cpp needs.
has_gomp() {
    python3 -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null
}

own_user() {
    ! id -u corral >/dev/null 2>&1 || return 0
    on_system useradd --system --user-group --home-dir "$to" --no-create-home \
        --shell /usr/sbin/nologin corral
}

# Every file of the project; not what belongs to one installation.
project_files() {
    (cd "$source_dir" && find . \( -name .git -o -name '.venv*' -o -name __pycache__ -o -name '.*_cache' \
        -o -path ./var -o -path ./staticfiles -o -path ./.hypothesis -o -path ./.installed \) -prune \
        -o -type f ! -name '.env' ! -name '*.part' \
        ! \( -name '*.gguf' ! -name demo.gguf \) -print | sort)
}

project() {
    [ "$(cd "$target" 2>/dev/null && pwd -P)" != "$(cd "$source_dir" && pwd -P)" ] || return 0
    say "bringing the project to $target"
    [ -z "$is_dry" ] || return 0
    mkdir -p "$target/.installed"
    new=$target/.installed/files.part old=$target/.installed/files
    project_files >"$new"
    # Through a file, for sh would not see that the first half of a pipe fails.
    tar -C "$source_dir" -cf "$target/.installed/project.tar.part" --owner=0 --group=0 -T "$new"
    tar -C "$target" -xf "$target/.installed/project.tar.part" --no-same-owner
    rm "$target/.installed/project.tar.part"
    # A module that an earlier version had and this one has not would still be found.
    [ ! -f "$old" ] || comm -23 "$old" "$new" | while IFS= read -r file; do
        rm -f "$target/$file"
    done
    mv -f "$new" "$old"
}

model_file() {
    weights=$target/ai_model/weights
    if [ -n "$model" ]; then
        place=$weights/${model##*/}
        if [ ! -f "$place" ]; then
            say "copying ${model##*/}"
            run mkdir -p "$weights"
            run cp "$model" "$place.part"
            run mv "$place.part" "$place"
        fi
        run chmod 0444 "$place"
        return 0
    fi
    for file in "$weights"/*.gguf; do
        [ "${file##*/}" = demo.gguf ] || [ ! -f "$file" ] || return 0
    done
    say "there is only the demo model: \`make -C $to model\` fetches TinyLlama, or --model FILE"
}

settings() {
    env=$target/.env
    if [ -f "$env" ]; then
        for name in DJANGO_ENV SECRET_KEY ALLOWED_HOSTS NUM_PROXIES CORRAL_PROFILE; do
            grep -q "^$name=" "$env" || say "$env is yours and stays; it does not say $name"
        done
        return 0
    fi
    # Never shown, and never in the list of processes.
    key=$(od -An -N40 -tx1 /dev/urandom | tr -d ' \n')
    num_proxies=1
    [ "$proxy" != none ] || num_proxies=0
    write_file "$env" 0600 <<END
# Written once by deploy/small/install.sh and yours since. deploy/.env.example has all settings.
DJANGO_ENV=production
SECRET_KEY=$key
ALLOWED_HOSTS=$host
NUM_PROXIES=$num_proxies
CORRAL_PROFILE=small
END
}

python_environment() {
    # Compiles llama.cpp unless there is a wheel: one file at a time where memory is short.
    on_system sh "$target/deploy/make/install.sh" web
    on_system "$target/.venv/bin/python" "$target/manage.py" collectstatic --no-input --verbosity 0
    # The service may not write there, and would compile everything at each start.
    on_system "$target/.venv/bin/python" -m compileall -q -j1 \
        "$target/ai_model" "$target/apps" "$target/backend"
}

rights() {
    run mkdir -p "$target/var"
    # Not for the group either: the proxy is in it, for the socket.
    run chmod 0700 "$target/var"
    on_system chown -R corral:corral "$to/var"
    on_system chown corral:root "$to/.env"
}

# The units of deploy/systemd as they are, but for the place, and what a small machine adds to them.
units() {
    etc=$root/etc/systemd/system
    for name in corral.service corral-backup.service corral-backup.timer corral-prune.service \
        corral-prune.timer; do
        sed "s|/opt/corral|$to|g" "$source_dir/deploy/systemd/$name" | write_file "$etc/$name" 0644
    done
    sed -e "s|/opt/corral|$to|g" -e "s|@HIGH@|$memory_high|" -e "s|@MAX@|$memory_max|" "$here/small.conf" |
        write_file "$etc/corral.service.d/small.conf" 0644
    for name in corral-backup corral-prune; do
        write_file "$etc/$name.service.d/small.conf" 0644 <"$here/job.conf"
    done
}

site() {
    case $proxy in
    caddy)
        sed "s|chat.example.org|$host|" "$here/corral.caddy" |
            write_owned "$root/etc/caddy/corral.caddy" 0644
        import="import /etc/caddy/corral.caddy"
        caddyfile=$root/etc/caddy/Caddyfile
        if ! grep -qsxF "$import" "$caddyfile"; then
            { ! [ -f "$caddyfile" ] || cat "$caddyfile"; echo "$import"; } | write_file "$caddyfile" 0644
        fi
        on_system caddy validate --config /etc/caddy/Caddyfile --adapter caddyfile
        let_in caddy
        ;;
    nginx)
        sed "s|chat.example.org|$host|" "$here/nginx.conf" |
            write_owned "$root/etc/nginx/sites-available/corral" 0644
        run mkdir -p "$root/etc/nginx/sites-enabled"
        run ln -sfn ../sites-available/corral "$root/etc/nginx/sites-enabled/corral"
        on_system nginx -t
        let_in www-data
        [ -e "/etc/letsencrypt/live/$host" ] || say "then HTTPS: certbot --nginx -d $host"
        ;;
    esac
}

# The socket is for the group corral; a proxy that has just joined it has to begin anew.
let_in() {
    if id -nG "$1" 2>/dev/null | grep -qw corral; then
        on_system systemctl reload "$proxy"
    else
        on_system usermod -aG corral "$1"
        on_system systemctl restart "$proxy"
    fi
}

start() {
    on_system systemctl daemon-reload
    on_system systemctl enable --now corral-backup.timer corral-prune.timer
    on_system systemctl enable corral
    # Also when it runs already: perhaps as an older version.
    on_system systemctl restart corral
}

hint() {
    cat <<END

Next: an account for the admin, and a look from outside
  cd $to && sudo -u corral DJANGO_ENV=production .venv/bin/python manage.py createsuperuser
  cd $to && sudo -u corral DJANGO_ENV=production .venv/bin/python manage.py doctor --url https://$host

To remove it again, without the last line all chats and settings stay:
  systemctl disable --now corral corral-backup.timer corral-prune.timer
  rm -r /etc/systemd/system/corral.service /etc/systemd/system/corral.service.d \\
    /etc/systemd/system/corral-backup.* /etc/systemd/system/corral-prune.*
  rm -f /etc/nginx/sites-*/corral /etc/caddy/corral.caddy   # Caddy: and its import in the Caddyfile
  rm -r $to && userdel corral
END
}
