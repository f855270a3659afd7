#!/bin/sh
# Schemathesis against what the coordinator of a living demo says that it serves: requests made from its
# OpenAPI document, valid and not, as the member h01 and as a stranger. Nothing may be a server's error, a status
# or a body that the document does not name.
#
#   sh deploy/openapi.sh DEMO [SECONDS]
set -eu
demo=$(cd "$1" && pwd)
seconds=${2:-60}
cd "$(dirname "$0")/.."
. deploy/prepare.sh
need_schemathesis
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
address() { sed -n "s/^$1 = \"127.0.0.1:\([0-9]*\)\"/https:\/\/localhost:\1/p" "$demo/coordinator/coordinator.toml"; }
public=$(address public_address)
authority="$demo/h01/ca.pem"
curl -fsS --cacert "$authority" "$public/v1/openapi.json" >"$scratch/openapi.json"
# A poll that waits shows nothing more than one that does not.
cat >"$scratch/settings.toml" <<'T'
[[operations]]
include-path = "/v1/rounds"
parameters = { wait = 0 }
T
strangers='^/(health|ready|v1/openapi.json|v1/join)$'
count() { # generated, passed or errored: how many
    found=$(sed -n "s/.*[^0-9]\([0-9][0-9]*\) $1.*/\1/p" "$scratch/run.txt" | tail -n 1)
    echo "${found:-0}"
}
check() { # ADDRESS, arguments
    url=$1
    shift
    # Who is refused while it still sends a large body may see its connection end, which is an error of the
    # network to it: of a hundred requests one at most. The coordinator has to serve on.
    (cd "$scratch" && "$SCHEMATHESIS" --config-file settings.toml run openapi.json --url "$url" \
        --tls-verify "$authority" --seed 1 --no-color --warnings off --max-time "$seconds" --continue-on-failure \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
        "$@" >run.txt) || true
    made=$(count generated)
    if grep -q '^Failures:' "$scratch/run.txt" || [ "$made" -lt 100 ] ||
        [ $((100 * $(count errored))) -gt "$made" ] || ! curl -fsS --cacert "$authority" "$public/ready"; then
        sed -n '/ FAILURES \| ERRORS /,$p' "$scratch/run.txt" >&2
        return 1
    fi
    sed -n '/Tested:/p; /generated/p' "$scratch/run.txt"
}
echo "as a member"
check "$(address node_address)" --request-cert "$demo/h01/keys/tls.pem" --exclude-path-regex "$strangers"
echo "as a stranger"
check "$public" --include-path-regex "$strangers"
