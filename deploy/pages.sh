#!/bin/sh
# Walks the pages of a living demo in headless Chromium: both languages, desk and phone, what people come
# for. Pictures of every page land in target/pages. The project's own files hold all but Chromium, node and
# npm, which are installed where this user may.
#
#   sh deploy/pages.sh DEMO [PICTURES]
set -eu
demo=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
pictures=${2:-$(pwd)/target/pages}
. deploy/prepare.sh
need_browser
coordinator="$CARGO_TARGET_DIR/release/consilium-coordinator"
site=$(cat "$demo/pages.txt")
npm_folder tests/browser

# Accounts of this run, with passwords that are written nowhere.
word() { od -An -N 18 -tx1 /dev/urandom | tr -d ' \n'; }
make() { # name, role, password
    printf '%s\n' "$3" | "$coordinator" --data "$demo/coordinator" account add "$1" --role "$2" \
        --as wang-fang --stdin >/dev/null
}
turn=$(date +%s)
one=$(word)
other=$(word)
make "walker-$turn" administrator "$one"
make "reader-$turn" auditor "$other"
rm -rf "$pictures"
printf '{"administrator":{"name":"walker-%s","password":"%s"},"auditor":{"name":"reader-%s","password":"%s"}}' \
    "$turn" "$one" "$turn" "$other" | node "$NPM_FOLDER/run.mjs" "$site" "$pictures"
