#!/usr/bin/env bash
# `tailwater evaluate` and `tailwater tune` from outside, on small seeded streams: what they count, that it repeats, and bad input.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=tests/support/expect.sh
. "$TW_SOURCE_DIR/tests/support/expect.sh"
T=$TAILWATER
small="--set learn.dim=16 --set learn.negatives=32"

awk -v n=2000 -v seed=3 -f "$TW_SOURCE_DIR/tests/support/events.awk" >"$dir/a.csv"
awk -v n=1000 -v seed=4 -f "$TW_SOURCE_DIR/tests/support/events.awk" >"$dir/b.csv"
head -2 "$dir/a.csv" >"$dir/one.csv"
: >"$dir/empty.csv"

# Several files under several settings: one object each, and a column for each setting.
# shellcheck disable=SC2086
expect 0 '"without":' "$T" evaluate "$dir/a.csv" "$dir/b.csv::rank.exclude=consumed" --with learn.context.items=5,seed=2 --with learn.model=mf \
    --every 2 --json --report "$dir/page.html" --jobs 2 $small
cp "$dir/out" "$dir/runs"
# shellcheck disable=SC2086
expect 0 'B: learn.context.items=5' "$T" evaluate "$dir/a.csv" --with learn.context.items=5 --every 2 --ablate $small
# shellcheck disable=SC2086
expect 0 'asked' "$T" evaluate "$dir/a.csv" "$dir/b.csv::rank.exclude=consumed" --every 2 --ablate --json $small
cp "$dir/out" "$dir/alone"
python3 - "$dir" <<'P2' || failed=1
import html.parser, json, sys
d = sys.argv[1]
runs = [json.loads(line) for line in open(d + "/runs")]
assert [(r["file"][len(d) + 1:], r.get("with", "")) for r in runs] == [
    (f, w) for f in ("a.csv", "b.csv") for w in ("", "learn.context.items=5,seed=2", "learn.model=mf")], runs
def sums(parts):
    return sum(p["asked"] for p in parts.values())
for r in runs:
    assert 0 < r["asked"] < r["rows"] and sums(r["by_history"]) == sums(r["by_tenth"]) == r["asked"], r
    l = r["lists"]
    assert l["count"] == r["asked"] and 0 < l["coverage"] <= 1 and l["mean_age_days"] >= 0 and 0 <= l["share_with_new"] <= 1, l
    assert ("without" in r) == ("alone" in r) == (r.get("with") != "learn.model=mf")
    for part in list(r.get("without", {}).values()) + list(r.get("alone", {}).values()):
        assert part["asked"] == r["asked"] and part["hr10"] <= part["hr20"]
# Beside others or by itself, at once or one after another: the same figures.
def figures(r):
    return {k: v for k, v in r.items() if k not in ("seconds", "rank_us_mean")}
alone = [json.loads(line) for line in open(d + "/alone")]
assert [figures(runs[0]), figures(runs[3])] == [figures(r) for r in alone]
# The page fetches nothing, runs nothing, and its tags fit.
page = open(d + "/page.html").read()
assert "http" not in page and "<script" not in page and "src=" not in page and "url(" not in page and "@import" not in page
assert page.count('class="curve') >= 2 * (6 + 3) and "prefers-color-scheme: dark" in page
class Tags(html.parser.HTMLParser):
    open_tags = []
    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "br"): self.open_tags.append(tag)
    def handle_startendtag(self, tag, attributes): pass
    def handle_endtag(self, tag): assert self.open_tags.pop() == tag, tag
tags = Tags(); tags.feed(page); assert not tags.open_tags
P2
cp "$dir/a.csv" "$dir/<b>&.csv" # a file's name is text
# shellcheck disable=SC2086
expect 0 'asked' "$T" evaluate "$dir/<b>&.csv" --every 20 --report "$dir/odd.html" $small
grep -q '&lt;b&gt;&amp;.csv' "$dir/odd.html" && ! grep -q '<b>&' "$dir/odd.html" || { echo "FAILED: a name is not escaped"; failed=1; }

# Little and nothing.
expect 0 'asked 0' "$T" evaluate "$dir/one.csv" --report "$dir/one.html"
[ -s "$dir/one.html" ] || { echo "FAILED: no page of one event"; failed=1; }
expect 65 'empty' "$T" evaluate "$dir/empty.csv"
expect 1 'No such file' "$T" evaluate "$dir/a.csv" "$dir/none.csv"
expect 2 '--with: learn.dims=5: unknown key "learn.dims"; the nearest is "learn.dim"' "$T" evaluate "$dir/a.csv" --with learn.dims=5
expect 2 '--with: learn.dim=6: learn.dim: 6 is not a multiple of 4' "$T" evaluate "$dir/a.csv" --with learn.dim=6
expect 2 'wants key=value' "$T" evaluate "$dir/a.csv" --with learn.dim
expect 2 'a.csv::rank.exclude=all: .* is none of' "$T" evaluate "$dir/a.csv::rank.exclude=all"
expect 1 'page.html.part: No such file' "$T" evaluate "$dir/a.csv" --report "$dir/none/page.html"
expect 1 'Is a directory' "$T" evaluate "$dir/a.csv" --report "$dir"
expect 2 'one file under one setting' "$T" evaluate "$dir/a.csv" --with seed=2 --state "$dir/s"

# Tuning: the same whatever runs at once; another seed draws others; what it writes is a configuration.
search="--settings 5 --keep 2 --prefix 60 --asks 200"
# shellcheck disable=SC2086
expect 0 'round 1 of 3: 5 settings and the default' "$T" tune "$dir/a.csv" "$dir/b.csv::rank.exclude=consumed" --out "$dir/1.yaml" $search $small
# shellcheck disable=SC2086
expect 0 '"rounds":' "$T" tune "$dir/a.csv" "$dir/b.csv::rank.exclude=consumed" --out "$dir/2.yaml" --json --jobs 1 $search $small
cp "$dir/out" "$dir/search"
cmp "$dir/1.yaml" "$dir/2.yaml" || failed=1
python3 - "$dir" <<'P2' || failed=1
import json, sys
t = json.load(open(sys.argv[1] + "/search"))
rounds = t["rounds"]
assert [(len(r["settings"]), r["kept"]) for r in rounds][:2] == [(5, 3), (3, 2)] and len(rounds) == 3, rounds
for before, after in zip(rounds, rounds[1:]):
    gains = [s["gain"] for s in before["settings"]]
    assert gains == sorted(gains, reverse=True)
    assert sorted(s["number"] for s in before["settings"][:before["kept"]]) == sorted(s["number"] for s in after["settings"])
    assert before["rows"] < after["rows"]
last = rounds[-1]
assert t["best"]["number"] == (last["settings"][0]["number"] if last["settings"][0]["gain"] > 0 else 0)
assert ("after_prefix" in t) == (t["best"]["number"] > 0)
assert "rank.exclude" not in open(sys.argv[1] + "/1.yaml").read() # that is one file's own
P2
expect 0 'good' "$T" config --check "$dir/1.yaml"
expect 0 'asked' "$T" evaluate "$dir/b.csv" --config "$dir/1.yaml" --every 20
# shellcheck disable=SC2086
expect 0 '"learn.mf' "$T" tune "$dir/a.csv" --out "$dir/mf.yaml" --json $search --set learn.model=mf --set learn.dim=16
expect 0 'learn.model: mf' cat "$dir/mf.yaml"
# shellcheck disable=SC2086
expect 0 'learn.context.fast=' "$T" tune "$dir/a.csv" --out "$dir/3.yaml" --keys learn.context.fast $search $small
if grep -E '#[0-9]' "$dir/out" | grep -q 'learn.*learn'; then echo "FAILED: moved more than --keys names"; failed=1; fi
expect 65 'too few' "$T" tune "$dir/one.csv" --out "$dir/x.yaml"
expect 65 'empty' "$T" tune "$dir/a.csv" "$dir/empty.csv" --out "$dir/x.yaml"
expect 1 'No such file' "$T" tune "$dir/none.csv" --out "$dir/x.yaml"
expect 1 'x.yaml.part: No such file' "$T" tune "$dir/a.csv" --out "$dir/none/x.yaml"
expect 2 '--out FILE is wanted' "$T" tune "$dir/a.csv"
expect 2 '--keys rank.list.size: not a setting that can be tuned' "$T" tune "$dir/a.csv" --out "$dir/x.yaml" --keys rank.list.size
expect 2 '--keys learn.mf.rate: not a setting' "$T" tune "$dir/a.csv" --out "$dir/x.yaml" --keys learn.mf.rate
expect 2 'whole number' "$T" tune "$dir/a.csv" --out "$dir/x.yaml" --prefix 0
expect 2 'unknown key' "$T" tune "$dir/a.csv::learn.dims=4" --out "$dir/x.yaml"
ls "$dir"/x.yaml* "$dir"/*.part 2>/dev/null && { echo "FAILED: a file is left of what failed"; failed=1; }

# A signal ends it, with the runs that it started, and leaves nothing behind.
# shellcheck disable=SC2086
"$T" tune "$dir/a.csv" --out "$dir/x.yaml" --settings 90 --keep 100 --prefix 100 >"$dir/out" 2>&1 &
tune=$!
for _ in $(seq 100); do [ -e "$dir/x.yaml.part" ] && break; sleep 0.05; done
kill $tune
wait $tune
code=$?
checks=$((checks + 1))
{ [ $code -eq 1 ] && grep -q 'stopped by a signal' "$dir/out" && [ ! -e "$dir/x.yaml.part" ]; } || { echo "FAILED: a signal: exit $code"; cat "$dir/out" | head -3; failed=1; }

echo "$checks commands tried"
exit $failed
