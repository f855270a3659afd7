#!/bin/sh
# Walks what each role comes for in headless Chromium, on a living demo of made-up data: administrators from
# forecast to signed letter, an insurer's auditor from list to evidence pack, a hospital's steward from inbox to
# refusal. Both languages, desk and phone. Pictures land in target/pages.
#
#   sh deploy/role-pages.sh DEMO [administrator|insurer|steward]      the programs are built already
set -eu
demo=$(cd "$1" && pwd)
only=${2:-}
cd "$(dirname "$0")/.."
pictures=$(pwd)/target/pages
mappings=$(pwd)/deploy/mappings
. deploy/prepare.sh
need_browser
npm_folder tests/browser
coordinator="$CARGO_TARGET_DIR/release/consilium-coordinator"
node="$CARGO_TARGET_DIR/release/consilium-node"
running=""
end() {
    for process in $running; do kill "$process" 2>/dev/null || true; done
}
trap end EXIT
trap 'exit 1' INT TERM

alliance() { "$coordinator" --data "$demo/coordinator" "$@"; }
word() { od -An -N 18 -tx1 /dev/urandom | tr -d ' \n'; }
# Who has an account already gets a new password.
office_account() { # name, password
    printf '%s\n' "$2" | alliance account add "$1" --role administrator --as wang-fang --stdin >/dev/null 2>&1 ||
        printf '%s\n' "$2" | alliance account password "$1" --as wang-fang --stdin >/dev/null
}
steward_account() { # home, name, password
    printf '%s\n' "$3" | "$node" --data "$1" account add "$2" --role steward --as zhao-min --stdin >/dev/null 2>&1 ||
        printf '%s\n' "$3" | "$node" --data "$1" account password "$2" --as zhao-min --stdin >/dev/null
}
# Starts pages and waits until they answer.
serve() { # site, log, command…
    address=$1
    log=$2
    shift 2
    "$@" >"$log" 2>&1 &
    running="$running $!"
    tries=0
    until curl -fsS -o /dev/null "$address/sign-in" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 80 ] || { cat "$log" >&2; exit 1; }
        sleep 0.25
    done
}
failed=0
walk() { # role: its facts are on standard input
    node "$NPM_FOLDER/$1.mjs" || failed=1
}
wanted() { [ -z "$only" ] || [ "$only" = "$1" ]; }

if wanted administrator; then
    year=$(($(alliance year list | sed -n 's/^\([0-9]\{4\}\) .*/\1/p' | sort -n | tail -n 1) + 1))
    one=$(word)
    other=$(word)
    office_account wang-fang "$one"
    office_account chen-jie "$other"
    walk administrator <<EOF
{"site":"$(cat "$demo/pages.txt")","pictures":"$pictures","demo":"$demo","coordinator":"$coordinator","node":"$node",
"hospitals":["h01","h02","h03","h04","h05","h06"],"year":$year,
"accounts":[{"name":"wang-fang","password":"$one"},{"name":"chen-jie","password":"$other"}]}
EOF
fi

if wanted insurer; then
    root="$demo/insurer-walk"
    mkdir -p "$root"
    chmod 700 "$root"
    one=$(word)
    printf '%s\n' "$one" | "$coordinator" audit account "$root" he-ping --stdin >/dev/null
    month=$(date -d "2025-11-01 -$(find "$root" -maxdepth 1 -name 'lists-*' | wc -l) month" +%Y-%m)
    serve http://127.0.0.1:17647 "$root/pages.log" "$coordinator" audit serve "$root" --listen 127.0.0.1:17647
    walk insurer <<EOF
{"site":"http://127.0.0.1:17647","pictures":"$pictures","demo":"$demo","home":"$demo/h01","root":"$root",
"coordinator":"$coordinator","node":"$node","mapping":"$mappings/settlements.toml","month":"$month",
"account":{"name":"he-ping","password":"$one"}}
EOF
fi

if wanted steward; then
    one=$(word)
    steward_account "$demo/h03" li-hua "$one"
    # No standing rule answers this template unasked.
    round=$(alliance round open yearly-benchmark --period 2024 --deadline 1h --min-answers 5 --json |
        sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' | head -n 1)
    serve http://127.0.0.1:17648 "$demo/h03/pages.log" "$node" --data "$demo/h03" pages --listen 127.0.0.1:17648
    walk steward <<EOF
{"site":"http://127.0.0.1:17648","pictures":"$pictures","coordinator":"$coordinator","alliance":"$demo/coordinator",
"hospital":"h03","round":"$round","account":{"name":"li-hua","password":"$one"}}
EOF
    alliance round close "$round" >/dev/null
fi
exit "$failed"
