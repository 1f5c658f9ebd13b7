#!/usr/bin/env bash
# The recurrent propensity beside the logistic regression on the same windows, by AUC on the test part alone: on the synthetic shop, and on
# UCI Online Retail where TAILWATER_DATA has it.
set -u
case ${TW_BUILD_DIR:-} in *asan* | *tsan*) echo "skipped: a sanitizer makes this too slow"; exit 77 ;; esac
failed=0

judge() { # name more-than-the-regression options...
    out=$("$TAILWATER" train propensity --json "${@:3}") || { echo "$1: training failed"; failed=1; return; }
    echo "$out"
    python3 - "$1" "$2" "$out" <<'P' || failed=1
import json, sys
name, least, r = sys.argv[1], float(sys.argv[2]), json.loads(sys.argv[3])
ours, theirs = r["network"]["test"]["auc"], r["regression"]["test"]["auc"]
if not ours >= theirs + least:
    sys.exit(f"{name}: AUC {ours} of the network, {theirs} of the regression: not {least} better")
P
}

judge shop 0.02 --epochs 2
[ -z "${TAILWATER_DATA:-}" ] ||
    judge online_retail 0 "$TAILWATER_DATA/online_retail.csv.gz" --set propensity.horizon.ms=604800000
exit $failed
