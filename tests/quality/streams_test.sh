#!/usr/bin/env bash
# Hit rate on real streams by the prequential protocol, with the defaults and with the stated thresholds. Reads the streams from
# TAILWATER_DATA; skipped without it.
set -u
[ -n "${TAILWATER_DATA:-}" ] || { echo "skipped: TAILWATER_DATA names no streams"; exit 77; }
case ${TW_BUILD_DIR:-} in *asan* | *tsan*) echo "skipped: a sanitizer makes this too slow"; exit 77 ;; esac
failed=0

field() { grep -o "\"$2\":[0-9.]*" <<<"$1" | sed -n '1s/.*://p'; } # the first of that name: the measures of all

judge() { # file asked hr10-at-least ndcg10-at-least options...
    local hr ndcg asked
    out=$("$TAILWATER" evaluate "$TAILWATER_DATA/$1" --json "${@:5}") || { echo "$1: evaluate failed"; failed=1; return; }
    echo "$out"
    asked=$(field "$out" asked) hr=$(field "$out" hr10) ndcg=$(field "$out" ndcg10)
    [ "$asked" = "$2" ] || { echo "$1: asked $asked, the protocol asks $2"; failed=1; }
    awk -v a="$ndcg" -v b="$4" 'BEGIN { exit !(a >= b) }' || { echo "$1: NDCG@10 $ndcg is below $4"; failed=1; }
    awk -v a="$hr" -v b="$3" 'BEGIN { exit !(a >= b) }' || { echo "$1: HR@10 $hr is below $3"; failed=1; }
}

judge ml1m_pos.csv.gz 512401 0.253 0.1355 --exclude-consumed --profile
profile=$(grep -o '"profile":{[^}]*}' <<<"$out")
[ "$(field "$profile" asked)" = 512401 ] || { echo "ml1m_pos: the profile was asked another number of times"; failed=1; }
awk -v a="$(field "$profile" cross_entropy)" 'BEGIN { exit !(a > 0 && a <= 2.03) }' || { echo "ml1m_pos: the profile's cross-entropy is above 2.03"; failed=1; }
awk -v a="$(field "$profile" top1)" 'BEGIN { exit !(a >= 0.655) }' || { echo "ml1m_pos: the profile's first category is right less often than .655"; failed=1; }
judge online_retail.csv.gz 344509 0.370 0.248

# The identical rows of online_retail, and nothing else, are duplicates.
state=$(mktemp -d)
out=$("$TAILWATER" replay "$TAILWATER_DATA/online_retail.csv.gz" --state "$state" --json)
rm -rf "$state"
echo "$out"
case $out in '{"consumed":386326,"applied":386245,"duplicate":81,"late":0,"dead_lettered":0,'*) ;; *) echo "online_retail: other counters"; failed=1 ;; esac
exit $failed
