#!/bin/sh
# Whether the simulation finds bugs that need changed code: patches a copy of the sources, builds the
# simulation of it, and expects a broken rule. Part of `deploy/test.sh --long`.
#
# sh deploy/mutants.sh [SEEDS]
set -eu
cd "$(dirname "$0")/.."
seeds=${1:-500}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# The copy has a target folder of its own: its own crates are other ones.
git ls-files -z | xargs -0 cp --parents -t "$copy"
export CARGO_TARGET_DIR="$copy/target"
missed=0

# mutant NAME FILE FROM TO: replaces the one place in the file and expects to be found.
mutant() {
    cp "$copy/$2" "$copy/kept"
    python3 - "$copy/$2" "$3" "$4" <<'P'
import sys
path, old, new = sys.argv[1:]
text = open(path).read()
assert text.count(old) == 1, f"{path}: {text.count(old)} places of {old!r}"
open(path, "w").write(text.replace(old, new))
P
    (cd "$copy" && cargo build --release --locked --quiet -p tests --bin simulate)
    "$CARGO_TARGET_DIR/release/simulate" --seeds "0..$seeds" >"$copy/out" 2>&1 || true
    # Only a broken rule counts: a simulation that ends otherwise has found nothing.
    if ! found=$(grep -m 1 '^seed ' "$copy/out"); then
        found="NOT FOUND"
        missed=1
    fi
    echo "$1: $found"
    mv "$copy/kept" "$copy/$2"
}

mutant "a charge that does not look for a stored answer, and a free second draw" \
    node/src/ledger/limit.rs \
    'where year = $2 and purpose = $3 and spent_nano + $1 <= $4' \
    'where year = $2 and purpose = $3 and spent_nano <= $4'
mutant "a reply that leaves although the steward stopped it meanwhile" \
    node/src/steward/inbox.rs \
    'let may = [
        State::Pending,' \
    'let may = [
        State::Held,
        State::Refused,
        State::Pending,'
mutant "a coordinator that takes a reply from who was not asked, late or twice" \
    coordinator/src/collect.rs \
    'if stored_state(&mut change, &round.id).await? != "open" || now > round.deadline {' \
    'if stored_state(&mut change, &round.id).await? != "open" {'
exit "$missed"
