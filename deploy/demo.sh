#!/bin/sh
# A whole alliance on this machine: one coordinator and six hospitals, each a process of its own,
# talking mutual TLS; a year of data, a year's benchmark and one month of the monthly series. What each
# hospital tells of the year by itself and what only sums over hospitals tell stand in one report: the
# sums are a pooled round with a committee of four, in whose middle a hospital that sits in the
# committee is killed. Then the alliance's next year: forecast, budget, execution, overspend, bonus,
# appraisal.
#
# The alliance stays alive at the end, with its pages for a browser, until it is stopped.
#
#   sh deploy/demo.sh                 made-up data
#   sh deploy/demo.sh --data DIR      the six SPARCS hospitals in DIR/sparcs
#   sh deploy/demo.sh --stop DIR      ends what a demo left running in DIR, and nothing else
#   --folder DIR    where everything goes (default ./demo; replaced only if the demo made it)
#   --quick         fewer made-up stays
#   --once          leaves nothing running
set -eu
cd "$(dirname "$0")/.."

folder=demo
data=""
stays=40000
keep=1
. deploy/alive.sh
while [ $# -gt 0 ]; do
    case "$1" in
    --data) data=$(cd "$2" && pwd); shift 2 ;;
    --folder) folder=$2; shift 2 ;;
    --quick) stays=8000; shift ;;
    --once) keep=0; shift ;;
    --stop) stop_alive "${2:-demo}"; exit 0 ;;
    *) sed -n '2,18p' "$0" >&2; exit 2 ;;
    esac
done

. deploy/prepare.sh
need_rust
# Without charts the pages draw plain ones.
sh deploy/charts.sh || true
echo "building (the first time takes some minutes)"
build --bins --quiet
bin="$CARGO_TARGET_DIR/release"
node="$bin/consilium-node"
coordinator="$bin/consilium-coordinator"
mappings=$(pwd)/deploy/mappings

if [ -e "$folder" ] && [ ! -e "$folder/.consilium-demo" ] && [ -n "$(ls -A "$folder")" ]; then
    echo "$folder is not a demo's folder; name another with --folder" >&2
    exit 1
fi
if [ -e "$folder/.consilium-demo" ]; then stop_alive "$folder"; fi
rm -rf "$folder"
mkdir -p "$folder"
touch "$folder/.consilium-demo"
folder=$(cd "$folder" && pwd)

# Unless all went well and the alliance is to live on, nothing stays.
finished=0
leave() {
    if [ "$finished" = 0 ] || [ "$keep" = 0 ]; then stop_alive "$folder"; fi
}
trap leave EXIT
trap 'exit 1' INT TERM

say() { printf '\n== %s\n' "$1"; }

# Free ports of this machine's loopback; the pages' is the usual one where nobody has it.
ports=$(python3 - <<'PY' 2>/dev/null || echo "17443 17444 7445"
import socket
open_ = [socket.socket() for _ in range(3)]
for s in open_[:2]: s.bind(("127.0.0.1", 0))
try: open_[2].bind(("127.0.0.1", 7445))
except OSError: open_[2].bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in open_])
PY
)
node_port=${ports%% *}
pages_port=${ports##* }
public_port=${ports#* }
public_port=${public_port% *}
pages="https://127.0.0.1:$pages_port"

say "alliance"
"$coordinator" init --alliance demo --data "$folder/coordinator" --host localhost --host 127.0.0.1 \
    --node-address "127.0.0.1:$node_port" --public-address "127.0.0.1:$public_port"
if [ -n "$data" ]; then
    hospitals="PFI-000001 PFI-000210 PFI-000245 PFI-000413 PFI-000635 PFI-001169"
    year=2020
    datasets=""
    further=""
    gzip -dc "$data/sparcs/sparcs_2020_msk_unified.csv.gz" |
        "$coordinator" --data "$folder/coordinator" dictionary build --plan sparcs --discharges - \
            --group-column apr_drg --cost-column total_costs --charge-column total_charges \
            --los-column los --mdc 08 --out "$folder/dictionary.json"
else
    hospitals="h01 h02 h03 h04 h05 h06"
    year=2025
    datasets="visits referrals followups surveys"
    further="yearly-visits yearly-referrals yearly-followups yearly-surveys yearly-warnings"
    beside=$((stays / 8))
    "$node" synth --out "$folder/files" --seed 7 --year "$year" --hospitals 6 --stays "$stays" \
        --defects 0.004 --planted --visits "$beside" --referrals "$beside" --followups "$beside" \
        --surveys "$beside"
    "$node" synth --out "$folder/files/before" --seed 8 --year $((year - 1)) --hospitals 6 \
        --stays 8000 >/dev/null
    "$coordinator" --data "$folder/coordinator" dictionary build --plan chs \
        --table "$folder/files/groups.csv" --out "$folder/dictionary.json"
fi
"$coordinator" --data "$folder/coordinator" dictionary publish "$folder/dictionary.json"
# Two administrators sign the alliance's policy; the service does not start without.
for person in wang-fang chen-jie; do
    "$coordinator" --data "$folder/coordinator" administrator add "$person"
done
for person in wang-fang chen-jie; do
    "$coordinator" --data "$folder/coordinator" policy approve --as "$person"
done
alive "$folder" coordinator "$folder/coordinator.log" \
    "$coordinator" --data "$folder/coordinator" run --pages "127.0.0.1:$pages_port"
for _ in $(seq 150); do # until it listens: a busy machine takes a while
    grep -q '^public ' "$folder/coordinator.log" && break
    sleep 0.2
done

join() { # a member, its home
    "$node" --data "$2" init --hospital "$1" >/dev/null
    "$coordinator" --data "$folder/coordinator" invite "$1" --as wang-fang |
        grep -o 'consilium1\.[A-Za-z0-9_-]*' | "$node" --data "$2" enrol - >"$2/enrol.txt"
    # By phone: the hospital reads its fingerprint, a second administrator types what he hears.
    heard=$(sed -n 's/^fingerprint //p' "$2/enrol.txt")
    "$coordinator" --data "$folder/coordinator" members approve "$1" --as chen-jie \
        --fingerprint "$heard"
    "$node" --data "$2" dictionary fetch >/dev/null
    "$node" --data "$2" dictionary accept "$2/dictionary/offered.json" >/dev/null
}
officers() { # a home: two officers sign the policy
    "$node" --data "$1" officer add li-hua --role steward >/dev/null
    "$node" --data "$1" officer add zhao-min --role security_officer >/dev/null
    "$node" --data "$1" policy approve --as li-hua >/dev/null
    "$node" --data "$1" policy approve --as zhao-min >/dev/null
}

# The second hospital sits in the committee and dies in the middle of the pooled round.
dying=$(printf '%s' "$hospitals" | cut -d ' ' -f 2)

say "hospitals: join, load, release"
for hospital in $hospitals; do
    home="$folder/$hospital"
    join "$hospital" "$home"
    if [ -n "$data" ]; then
        "$node" --data "$home" load "$data/sparcs/sparcs_2020_msk_alliance6.csv" --history \
            --mapping "$mappings/sparcs.toml" --only "facility_key=$hospital" >"$home/load.txt"
    else
        "$node" --data "$home" load "$folder/files/$hospital.csv" --history \
            --mapping "$mappings/consilium-csv.toml" >"$home/load.txt"
        "$node" --data "$home" load "$folder/files/before/$hospital.csv" --history \
            --mapping "$mappings/consilium-csv.toml" >"$home/load-before.txt"
    fi
    for dataset in $datasets; do
        "$node" --data "$home" load "$folder/files/$hospital-$dataset.csv" --history \
            --mapping "$mappings/$dataset-csv.toml" >"$home/load-$dataset.txt"
    done
    sed -n '2p' "$home/load.txt"
    "$node" --data "$home" release all --officer demo-officer >/dev/null
    # The steward lets these templates be answered unasked.
    officers "$home"
    for template in yearly-hospitals yearly-alliance monthly-benchmark audit-signals $further; do
        "$node" --data "$home" steward standing add "$template" --until 2099-12-31 --as li-hua >/dev/null
    done
    alive "$folder" "$hospital" "$home/run.log" "$node" --data "$home" run
    if [ "$hospital" = "$dying" ]; then dying_process=$process; fi
done

round() { # template, period; sets id
    opened=$("$coordinator" --data "$folder/coordinator" round open "$1" --period "$2" \
        --deadline 10m --min-answers 5 --json)
    id=$(printf '%s' "$opened" | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' | head -n 1)
    "$coordinator" --data "$folder/coordinator" round wait "$id" --timeout 5m
}
benchmark() { "$coordinator" --data "$folder/coordinator" benchmark "$id" --out "$folder/$1"; }

say "the year's benchmark: what each hospital tells by itself"
round yearly-hospitals "$year"
attributed=$id

# Only the sum over the hospitals becomes known, and no hospital's own numbers. The second hospital gives
# its share of the noise like the others, sits in the committee too, and dies once the round is open.
first=${hospitals%% *}
say "cost structure and spread of the year, pooled: $first, $dying, the insurer and the commission are the committee"
pooled() { step=$1; shift; "$coordinator" --data "$folder/coordinator" pooled "$step" "$@"; }
for body in insurer commission; do
    home="$folder/$body"
    join "$body" "$home" >/dev/null
    officers "$home"
    kind=authority
    [ "$body" = commission ] || kind=insurer
    pooled body "$body" --kind "$kind" --entity "$body"
    alive "$folder" "$body" "$home/run.log" "$node" --data "$home" run --committee-only
done
pooled committee "$first,$dying,insurer,commission"
tries=0 # the seats publish their keys by themselves
until pooled list --operator alliance-office >"$folder/key-list.txt" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || { echo "no seat keys" >&2; exit 1; }
    sleep 0.5
done
# By phone again: each steward hears each member's fingerprint from itself.
for member in $hospitals insurer commission; do
    sed -n 's/^  //p' "$folder/key-list.txt" | while read -r name heard; do
        # Once two hospitals have countersigned, the others follow the list a moment later.
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            "$node" --data "$folder/$member" pooled accept "$name" "$heard" --as li-hua \
                >/dev/null 2>&1 && break
            sleep 1
        done
    done
done
tries=0 # hospitals countersign the list, then it is followed
until opened=$(pooled open yearly-alliance --period "$year" --deadline 20s --answers 5m \
    --min-answers 5 2>"$folder/open.txt"); do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || { cat "$folder/open.txt" >&2; exit 1; }
    sleep 0.5
done
kill -9 "$dying_process"
wait "$dying_process" 2>/dev/null || true
id=$(printf '%s\n' "$opened" | sed -n 1p)
printf '%s\n' "$opened"
echo "$id is open; $dying was killed"
tries=0
until pooled rounds | grep -Eq "^$id +(done|dead)"; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || break
    sleep 0.5
done
pooled rounds
pooled publish "$id" --out "$folder/published-sums"
pooled verify "$folder/published-sums"
"$node" --data "$folder/$first" pooled verify "$folder/published-sums" | tail -n 1
alive "$folder" "$dying" "$folder/$dying/run.log" "$node" --data "$folder/$dying" run

say "the year's report: both ways, each figure says which"
"$coordinator" --data "$folder/coordinator" benchmark "$attributed" --pooled "$id" --out "$folder/benchmark"


# Its cost items and bins are told by each hospital: of a year whose structure and bins are pooled nodes
# refuse them, so the made-up hospitals are asked about the year before. SPARCS has no items.
[ -n "$data" ] && december="$year-12" || december="$((year - 1))-12"
say "a month's benchmark: $december"
round monthly-benchmark "$december"
benchmark month

# What lies beside the stays, and how many stays came near to their group's payment standard: each from
# the same allowance of the year.
for template in $further; do
    say "beside the stays: $template of $year"
    round "$template" "$year"
    benchmark "${template#yearly-}"
done

# A month close and an insurer's audit of it: the list that the hospital commits to lacks two
# settlements, has one of another amount, one twice and one that nobody paid.
if [ -z "$data" ]; then
    before=$((year - 1))
    say "where an insurer looks first: rates apart from the peers' in $before, first half against second"
    round audit-signals "$before-01..$before-06"
    half=$id
    round audit-signals "$before-07..$before-12"
    "$coordinator" --data "$folder/coordinator" signals "$id" --before "$half" --out "$folder/signals"
    say "an insurer's audit of h01, $year-12"
    home="$folder/h01"
    insurer="$folder/audit"
    mkdir -p "$insurer"
    chmod 700 "$insurer"
    month_of_payer='NF == 29 && $12 == "employee" && index($10, month) == 1 && $28 ~ /^[0-9]+\.[0-9][0-9]$/'
    awk -F, -v month="$year-12" "BEGIN { print \"settlement,fen,group\" } $month_of_payer"' {
        fen = $28; sub(/\./, "", fen); sub(/^0+/, "", fen); print $1 "," (fen == "" ? 0 : fen) "," $15
    }' "$folder/files/h01.csv" >"$insurer/paid.csv"
    awk -F, -v OFS=, -v month="$year-12" "$month_of_payer"' { n++
        if (n == 2 || n == 3) next
        if (n == 4) { split($28, part, "."); $28 = part[1] + 1 "." part[2] }
        if (n == 5) print
        if (n == 6) { line = $0; $1 = "PHANTOM-0001"; print; $0 = line }
    } { print }' "$folder/files/h01.csv" >"$folder/h01-settlements.csv"
    audit() { step=$1; shift; "$coordinator" audit "$step" "$insurer/audit" "$@"; }
    "$node" --data "$home" audit key >"$insurer/h01.key"
    # The witnesses' keys; in earnest the insurer asks each organisation for its own.
    "$node" --data "$home" log export "$insurer/h01-log" >/dev/null
    witnesses=$(sed -n 's/^witness \([^ ]*\) \(.*\)$/--witness \1=\2/p' "$insurer/h01-log/keys")
    # shellcheck disable=SC2086 # one word a witness
    audit begin --alliance demo --hospital h01 --payer i01 --month "$year-12" \
        --log-key "$(cat "$insurer/h01.key")" $witnesses --quorum 2 >"$insurer/begin.txt"
    "$node" --data "$home" audit payer i01 "$(sed -n 's/.*audit payer i01 //p' "$insurer/begin.txt")" --as li-hua
    "$node" --data "$home" close "$year-12" --settlements "$folder/h01-settlements.csv" \
        --mapping "$mappings/settlements.toml" \
        --nonce "$(sed -n 's/.*--nonce //p' "$insurer/begin.txt")" >"$home/close.txt"
    sed -n '1,5p' "$home/close.txt"
    # The book says nothing more once two other organisations have cosigned the close.
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        unseen=$("$node" --data "$home" audit book i01 "$year-12" --out "$insurer/book")
        [ -n "$unseen" ] || break
        sleep 2
    done
    audit prepare --paid "$insurer/paid.csv" --book "$insurer/book"
    serve() { "$node" --data "$home" audit serve-batch "$insurer/audit/requests" "$insurer/audit/replies" "$@"; }
    serve
    audit match
    audit totals
    # Leaves that nobody claims are opened once two officers of the hospital have signed for it.
    # Until then the hospital lets them wait, and the insurer's command says so by its exit code.
    for early in "audit sample" serve; do
        if $early >/dev/null 2>&1; then
            echo "leaves were opened although no officer signed" >&2
            exit 1
        fi
    done
    "$node" --data "$home" audit list
    opening=$("$node" --data "$home" audit list --json | sed -n 's/.*"request": "\([0-9a-f]*\)".*/\1/p')
    for officer in li-hua zhao-min; do
        "$node" --data "$home" audit approve "$opening" --as "$officer"
    done
    serve
    audit sample
    audit report
    # shellcheck disable=SC2086
    "$coordinator" audit verify "$insurer/audit/pack" --log-key "$(cat "$insurer/h01.key")" \
        $witnesses --quorum 2
fi

. deploy/year.sh
first=${hospitals%% *}

say "what care costs inside $first: a month's close, explained, and cases by three methods"
samples=deploy/samples/costs
"$node" --data "$folder/$first" cost close "$december" "$samples"
"$node" --data "$folder/$first" cost show "$december" >"$folder/$first-costs.csv"
"$node" --data "$folder/$first" cost explain "$december" paediatrics consumables
# A month has many such cases; all of a department's share its cost.
awk 'NR == 1 { print; next } { for (n = 0; n < 200; n++) print }' "$samples/cases.csv" >"$folder/cases.csv"
"$node" --data "$folder/$first" cost cases "$december" "$folder/cases.csv" --items "$samples/items.csv" \
    --units "$samples/units.csv"

say "what it cost in privacy, at each hospital"
"$node" --data "$folder/$first" ledger

say "the logs, witnessed by the others, verified from published files alone"
sleep 3 # the last entries on their way to the witnesses
for hospital in $hospitals; do
    "$node" --data "$folder/$hospital" log fsck
    "$node" --data "$folder/$hospital" log export "$folder/logs/$hospital" >/dev/null
    "$node" log verify "$folder/logs/$hospital"
done
"$coordinator" --data "$folder/coordinator" log fsck
"$coordinator" --data "$folder/coordinator" log export "$folder/logs/coordinator" >/dev/null
"$coordinator" log verify "$folder/logs/coordinator"
"$node" year verify "$folder/year/published/year.json" --log "$folder/logs/coordinator" | tail -n 1

say "what the first hospital's steward allowed"
"$node" --data "$folder/$first" policy show | sed -n '1,2p'
"$node" --data "$folder/$first" steward standing list

say "the alliance's pages"
echo "$pages" >"$folder/pages.txt"
account() { # name, role: makes an account and prints its line
    password=$("$coordinator" --data "$folder/coordinator" account add "$1" --role "$2" --as wang-fang |
        sed -n 's/^password //p')
    printf '             %-8s %s   (%s)\n' "$1" "$password" "$2"
}
echo "pages        $pages"
account manager administrator
account visitor auditor
echo "             The certificate is the demo's own, so the browser asks before it goes there."

say "the first hospital's pages"
"$node" --data "$folder/$first" account add li-hua --role steward --as zhao-min | sed '/^next/d'
cp "$folder/benchmark/benchmark.json" "$folder/$first/benchmark.json"

say "where to look"
if [ "$keep" = 1 ]; then
    echo "pages        $pages as above; the alliance runs until: sh deploy/demo.sh --stop $folder"
else
    echo "pages        $coordinator --data $folder/coordinator run --pages 127.0.0.1:$pages_port"
fi
echo "hospital     $node --data $folder/$first pages"
echo "             then http://127.0.0.1:8710, as li-hua with the password above: the inbox, the ledger, the position"
if [ -z "$data" ]; then
    echo "insurer      $coordinator audit account $folder/audit NAME, then audit serve $folder/audit: http://127.0.0.1:8720"
fi
echo "report       $folder/benchmark/*.html (the year; open it in a browser)"
echo "month        $folder/month/*.html ($december alone, with its own *.csv and *.json)"
echo "pooled       $folder/published-sums (the pooled round, for anyone to verify)"
echo "tables       $folder/benchmark/*.csv  (open them in a spreadsheet)"
echo "figures      $folder/benchmark/*.json"
if [ -z "$data" ]; then
    echo "beside       $folder/{visits,referrals,followups,surveys,warnings}/ (reports and tables of each)"
    echo "signals      $folder/signals/*.csv    (where an insurer looks first)"
    echo "evidence     $folder/audit/audit/pack (the audit of h01, verified offline)"
fi
echo "year         $folder/year/published (letter.html for print, year.xlsx, members.csv, year.json to verify)"
echo "costs        $folder/$first-costs.csv (a month of made-up ledgers, closed at $first)"
echo "one node     $node --data $folder/$first ledger | log show | months | steward inbox | ask … --dry-run"
if [ -z "$data" ]; then
    echo "planted      $folder/files/planted.txt lists made-up identifiers put where they do not belong, in"
    echo "             six rows of each hospital: none of them occurs in any other folder but files/"
fi
finished=1
