# Sourced by the demo: the alliance's year after the benchmark, from its target to its end. Members
# say what they say over the running coordinator, parties on its machine.
# Uses folder, coordinator, node, hospitals, year, say.

next=$((year + 1))
home="$folder/year"
mkdir -p "$home"
year() { step=$1; shift; "$coordinator" --data "$folder/coordinator" year "$step" "$@"; }
party() { year say "$next" --as "$1" --key "$home/$1.pk8" "$2" "$3" "$4"; }

# Every member has nothing against a result, or says what it has against it.
accepted() { # matter, digest, members
    for member in $3; do
        "$node" --data "$folder/$member" year accept "$next" "$1" "$2" >/dev/null
    done
}
objects() { # member, matter, digest, why
    "$node" --data "$folder/$1" year object "$next" "$2" "$3" --why "$4"
}
# Computes and proposes a result, shows it, and keeps its digest.
propose() { # matter, inputs
    year propose "$next" "$1" --inputs "$2" --as wang-fang >"$home/$1.txt"
    cat "$home/$1.txt"
    digest=$(sed -n 's/^result //p' "$home/$1.txt")
}

say "the alliance's year $next: target, applications, plan"
parties=""
for party in insurer committee lead-hospital members grassroots patients; do
    parties="$parties --party $party=$(year key "$home/$party.pk8")"
done
# The shipped rules hold from 2025 on; an earlier year needs the alliance's own.
if [ "$next" -lt 2025 ]; then
    mkdir -p "$folder/coordinator/rules"
    for rules in year budget bonus overspend appraisal alerts; do
        sed "s/^effective = .*/effective = \"$next-01\"/" "policies/rules/$rules.toml" \
            >"$folder/coordinator/rules/$rules.toml"
    done
fi
# shellcheck disable=SC2086 # one word a party
year open "$next" --target 1200000000.00 --as wang-fang $parties \
    --member "$(echo "$hospitals" | tr ' ' ,)" | head -n 1
year say "$next" --as wang-fang invite >/dev/null
for member in $hospitals; do
    "$node" --data "$folder/$member" year apply "$next" 250000000.00 --purpose "running care" \
        --expected "shorter stays" >/dev/null
done
year say "$next" --as wang-fang review >/dev/null

# Facts that no question asks; case-weighted volume comes from the benchmark, with its noise, and for
# the plan from what 36 months let expect: made-up months here, the last twelve adding up to it.
{
    echo "member,tier,before,served-population,score:technology,score:accessibility,score:efficiency,score:quality,chronic-managed,services"
    n=0
    for member in $hospitals; do
        n=$((n + 1))
        case $n in 1 | 2) tier=tertiary ;; 3 | 4) tier=secondary ;; *) tier=grassroots ;; esac
        # How well a member is equipped: its cases' complexity from the benchmark on the rules' scale, or
        # how easily it is reached; what else is known of it.
        case $tier in grassroots) scores=",86,$((80 - 2 * n)),$((88 - n))" ;; *) scores="@cmi,,$((80 - 2 * n)),$((88 - n))" ;; esac
        echo "$member,$tier,$((420 - 55 * n))000000.00;$((430 - 55 * n))000000.00,$((90 + 30 * n))000,$scores,$((3 + 4 * n))00,$((20 + 7 * n))0000"
    done
} >"$home/facts.csv"
figures=$(ls "$folder"/benchmark/*.json | grep -v inputs | head -n 1)
year inputs "$next" --facts "$home/facts.csv" --benchmark "$figures" --out "$home/plan-by-benchmark.json"
awk -v year="$year" '
    /"id":/ { id = $2; gsub(/[",]/, "", id); k++ }
    /"case-weighted-volume":/ { volume = 1 }
    volume && /"value":/ { value = number($2); next }
    # All months are made from one figure: they have its relative error, and a year of them has its own.
    volume && /"variance":/ {
        variance = number($2); volume = 0
        for (m = 0; m < 36; m++) {
            season = 1 + 0.08 * cos(2 * 3.14159265 * m / 12) + 0.01 * ((m * 7) % 5 - 2)
            part = season / 12 * (1 - (0.02 + 0.01 * k) * (2 - int(m / 12)))
            printf "%s,%d-%02d,%.2f,%.4f\n", id, year - 2 + int(m / 12), m % 12 + 1,
                value * part, variance * part * part
        }
    }
    function number(text, part) {
        gsub(/[",]/, "", text)
        return split(text, part, "/") == 2 ? part[1] / part[2] : text + 0
    }' "$home/plan-by-benchmark.json" >"$home/months.csv"
{ echo "member,month,value,variance"; cat "$home/months.csv"; } >"$home/history.csv"
say "forecast of the volume of ${hospitals%% *}"
{
    echo "month,value,variance"
    sed -n "s/^${hospitals%% *},//p" "$home/months.csv"
} >"$home/history-one.csv"
year forecast "$home/history-one.csv" --ahead 12
say "the plan, from that forecast"
year inputs "$next" --facts "$home/facts.csv" --history "$home/history.csv" --benchmark "$figures" \
    --controls "$figures" --out "$home/plan.json"
propose plan "$home/plan.json"
plan=$digest
say "what if the base weighed less"
mkdir -p "$home/other-rules"
sed 's/^alpha = .*/alpha = "0.40"/' policies/rules/budget.toml >"$home/other-rules/budget.toml"
year what-if "$next" plan --inputs "$home/plan.json" --rules "$home/other-rules"
say "what if volumes stayed as they were"
year what-if "$next" plan --inputs "$home/plan-by-benchmark.json"

say "what the plan asks of a hospital"
"$node" --data "$folder/${hospitals%% *}" year show "$next" | grep -A 2 '^waits for you'

say "an objection, its answer, the signatures"
one=${hospitals%% *}
others=${hospitals#* }
objects "$one" plan "$plan" "the population served is an old count"
year say "$next" --as chen-jie answer plan "$plan" "$one" --why "the count is the census of this year" >/dev/null
accepted plan "$plan" "$others"
for party in insurer lead-hospital members grassroots patients; do
    party "$party" sign plan "$plan" | tail -n 1
done

say "twelve months of spending, as the insurer paid it"
year export "$next" --out "$home/published" >/dev/null
third=$(echo "$hospitals" | cut -d ' ' -f 3)
tail -n +2 "$home/published/members.csv" | tr -d '\r' | grep -v total | awk -F, -v third="$third" '{
    rate = ($1 == third) ? 1.04 : 0.90 + 0.015 * NR
    for (m = 1; m <= 12; m++) {
        fen = int(100 * ($10 - $11) * rate * (1 + 0.02 * ((m * 7 + NR) % 5 - 2)) / 12)
        printf "%s %02d %d.%02d\n", $1, m, int(fen / 100), fen % 100
    }
}' | sort -k2,2 -k1,1 >"$home/paid.txt"
while read -r member month amount; do
    year say "$next" --as insurer --key "$home/insurer.pk8" paid "$member" "$next-$month" "$amount" >/dev/null
done <"$home/paid.txt"
year execution "$next" --month 6
year execution "$next" --month 12

say "warnings of the year, and where ${one}'s costs come from"
year warnings "$next" --month 12 --benchmark "$figures" --append "$home/warnings.jsonl" >"$home/warnings.txt"
grep -v '^20.*case group' "$home/warnings.txt"
echo "case groups away from the alliance, whatever the noise did: $(grep -c '^20.*case group' "$home/warnings.txt")"
year explain "$figures" --hospital "$one"

say "overspend of $third: classified, appealed, decided"
year export "$next" --out "$home/published" >/dev/null
over=$(awk -F, -v id="$third" '$1 == id { printf "%.0f", 100 * ($12 - ($10 - $11)) }' "$home/published/members.csv")
evidence=$(printf 'minutes of the panel' | sha256sum | cut -d ' ' -f 1)
{
    echo "member,cause,amount,evidence"
    awk -v id="$third" -v fen="$over" -v proof="$evidence" 'BEGIN {
        half = int(fen / 2); rest = fen - half
        printf "%s,price_swing,%d.%02d,%s\n", id, int(half / 100), half % 100, proof
        printf "%s,management_gap,%d.%02d,%s\n", id, int(rest / 100), rest % 100, proof
    }'
} >"$home/overspend.csv"
year inputs "$next" settlement --facts "$home/overspend.csv" --out "$home/overspend.json"
propose settlement "$home/overspend.json"
settled=$digest
objects "$third" settlement "$settled" "the gap was a price too" >/dev/null
for party in insurer committee; do
    year say "$next" --as "$party" --key "$home/$party.pk8" answer settlement "$settled" "$third" \
        --why "the minutes name three orders without need" >/dev/null
done
accepted settlement "$settled" "$(echo "$hospitals" | sed "s/$third//")"
party insurer sign settlement "$settled" >/dev/null
party committee sign settlement "$settled" | tail -n 1

say "forecast of ${one}'s spending from what was paid"
{
    echo "month,value"
    awk -v id="$one" -v y="$next" '$1 == id { print y "-" $2 "," $3 }' "$home/paid.txt"
} >"$home/paid-$one.csv"
year forecast "$home/paid-$one.csv" --ahead 3

say "surplus and bonus"
# A quarter of what the first hospital has left goes into the pool's reckoning.
year export "$next" --out "$home/published" >/dev/null
spare=$(tail -n +2 "$home/published/members.csv" | tr -d '\r' | awk -F, -v id="$one" '
    $1 == id { fen = int(100 * ($10 - $11 - $12) / 4); printf "%d.%02d", int(fen / 100), fen % 100 }')
{
    echo "member,tier,quality_held,referral-share,chronic-control,grassroots-growth,gaming:volume-jump,own,referrals"
    n=0
    for member in $hospitals; do
        n=$((n + 1))
        case $n in 1 | 2) tier=tertiary ;; 3 | 4) tier=secondary ;; *) tier=grassroots ;; esac
        own=""
        [ $n != 1 ] || own=$spare
        referrals=""
        [ "$tier" != grassroots ] || referrals=$((1600 - 200 * n))
        echo "$member,$tier,yes,0.$((10 + 4 * n)),0.$((52 + 3 * n)),0.0$n,0.$((20 + 2 * n)),$own,$referrals"
    done
    echo "team:chronic-care,,,,,,,,14"
} >"$home/bonus.csv"
year inputs "$next" bonus --facts "$home/bonus.csv" --basic 10000000.00 --performance 6000000.00 \
    --strategic 2500000.00 --lead "$one" --out "$home/bonus.json"
propose bonus "$home/bonus.json"
bonus=$digest
accepted bonus "$bonus" "$hospitals"
party insurer sign bonus "$bonus" >/dev/null
party members sign bonus "$bonus" >/dev/null
year say "$next" --as insurer --key "$home/insurer.pk8" pay-out "$bonus" | tail -n 1

say "appraisal, and the end of the year"
# The length of stay is the benchmark's own, with what noise there is in it.
{
    echo "member,low-risk-mortality,complications,length-of-stay,bed-turnover,grassroots-visits,cost-growth,budget-deviation,chronic-control,two-way-referral,patients,social"
    n=0
    for member in $hospitals; do
        n=$((n + 1))
        echo "$member,0.0$n,3,@mean-stay,$((42 - n)),$((45 + 3 * n)),4,$n,$((55 + 3 * n)),$((6 + 2 * n)),9$n,88"
    done
} >"$home/appraisal.csv"
year inputs "$next" appraisal --stage quality --facts "$home/appraisal.csv" --benchmark "$figures" \
    --out "$home/appraisal.json"
propose appraisal "$home/appraisal.json"
appraised=$digest
accepted appraisal "$appraised" "$hospitals"
party insurer sign appraisal "$appraised" >/dev/null
party patients sign appraisal "$appraised" >/dev/null
say "something to improve, reported and judged"
year say "$next" --as wang-fang task orders "$third" --goal "no order without need" \
    --measures "second look at orders above 10,000" --owner "head of finance" --days 60 >/dev/null
"$node" --data "$folder/$third" year report "$next" orders --done "the second look works since June"
year show "$next" | grep '^task'
year say "$next" --as chen-jie judge orders --why "three months without a case" >/dev/null
# A year whose last months are not over is closed only where that is said.
closing=$(year say "$next" --as wang-fang close 2>&1) || case "$closing" in
*"the year $next is not over"*) closing=$(year say "$next" --as wang-fang close --anyway) ;;
*)
    echo "$closing" >&2
    exit 1
    ;;
esac
echo "$closing"
year list
year export "$next" --out "$home/published"
year verify "$home/published/year.json" | head -n 1
"$node" --data "$folder/$one" year fetch "$next" --out "$home/fetched.json"
"$node" --data "$folder/$third" verify-score "$home/published/year.json" | sed -n '/^budget /,$p'
if command -v python3 >/dev/null 2>&1; then
    python3 tests/year/recompute.py "$home/published/year.json"
fi
