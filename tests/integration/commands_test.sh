#!/usr/bin/env bash
# The commands from outside: what they print, how they end, and what they do with bad input of every kind.
set -u
dir=$(mktemp -d)
mounted=
cleanup() { [ -z "$mounted" ] || umount "$mounted"; rm -rf "$dir"; }
trap cleanup EXIT
# shellcheck source=tests/support/expect.sh
. "$TW_SOURCE_DIR/tests/support/expect.sh"
T=$TAILWATER
small="--set learn.dim=16 --set learn.negatives=32"
wide="--set learn.dim=512 --set learn.negatives=32"

awk -v n=3000 -v seed=3 -f "$TW_SOURCE_DIR/tests/support/events.awk" >"$dir/events.csv"

# Usage.
expect 2 'Commands' "$T"
expect 0 'Commands' "$T" --help
expect 2 'unknown command' "$T" dance
expect 0 'tailwater [0-9]' "$T" --version
for command in run watch feed demo broker topics reset backup restore export replay recommend inspect evaluate tune train bench config version; do
    expect 0 'Options:' "$T" $command --help
    expect 2 'unknown option' "$T" $command --dance
done
expect 2 'usage:' "$T" replay
expect 2 'state' "$T" replay "$dir/events.csv"
expect 2 'all, final or none' "$T" replay "$dir/events.csv" --state "$dir/s" --lists some
expect 2 'one argument too many' "$T" replay a b
expect 2 'wants a value' "$T" replay "$dir/events.csv" --state
expect 2 'whole number' "$T" recommend u --state "$dir/s" --top x

# The way through: replay, resume, another file, lists, recommend, inspect.
# shellcheck disable=SC2086
expect 0 '^\{"consumed":[0-9]+,"applied":[0-9]+,"duplicate":[1-9][0-9]*,"late":[1-9][0-9]*,"dead_lettered":[1-9][0-9]*,"lists":[1-9]' \
    "$T" replay "$dir/events.csv" --state "$dir/s" --out "$dir/lists" --dead-letters "$dir/dead" --json $small
cp "$dir/out" "$dir/first"
rows=$(($(wc -l <"$dir/events.csv") - 1))
python3 - "$dir" $rows <<'P' || failed=1
import json, sys
d, rows = sys.argv[1], int(sys.argv[2])
t = json.load(open(d + "/first"))
assert t["consumed"] == rows == t["applied"] + t["duplicate"] + t["late"] + t["dead_lettered"], t
dead = [json.loads(line) for line in open(d + "/dead")]
assert len(dead) == t["dead_lettered"] and all("reason" in x and ("value" in x or "value_base64" in x) for x in dead)
lists = [json.loads(line) for line in open(d + "/lists")]
assert sum("gone" not in x for x in lists) == t["lists"]
last = {}
for x in lists:
    assert x["known"] and x["items"] and x["list_version"] >= last.get(x["user_id"], 0)
    last[x["user_id"]] = x["list_version"]
    assert all(i["reasons"] and 0 < i["reasons"][0]["share"] <= 1 for i in x["items"])
    scores = [i["score"] for i in x["items"]]
    assert scores == sorted(scores, reverse=True)
P
digest=$("$T" inspect --state "$dir/s" --digest)
cp "$dir/lists" "$dir/lists.before"
expect 0 '"consumed":'$rows "$T" replay "$dir/events.csv" --state "$dir/s" --out "$dir/lists" --json $small
cmp -s "$dir/lists" "$dir/lists.before" || { echo "a finished replay changed its lists"; failed=1; }
[ "$("$T" inspect --state "$dir/s" --digest)" = "$digest" ] || { echo "a finished replay changed the state"; failed=1; }
expect 0 '^\{"user_id":"u1","known":true,"list_version":[0-9]+.*"items":\[\{"item_id"' "$T" recommend u1 --state "$dir/s" --top 3 --json
expect 0 '"user_id":"nobody","known":false.*"popular"' "$T" recommend nobody --state "$dir/s" --json
expect 0 'user u1' "$T" recommend u1 --state "$dir/s"
expect 0 '"users":[1-9]' "$T" inspect --state "$dir/s" --json
expect 1 'no such directory' "$T" inspect --state "$dir/none"
awk -v n=500 -v seed=4 -f "$TW_SOURCE_DIR/tests/support/events.awk" >"$dir/more.csv"
expect 0 '"consumed":3[0-9][0-9][0-9]' "$T" replay "$dir/more.csv" --state "$dir/s" --json $small
expect 1 'profile.batch' "$T" replay "$dir/more.csv" --state "$dir/s" --set profile.batch=5 $small
expect 1 'learn.dim' "$T" replay "$dir/more.csv" --state "$dir/s" --set learn.dim=32
expect 0 '"lists":[1-9]' "$T" replay "$dir/events.csv" --state "$dir/final" --out "$dir/final.lists" --lists final --json $small
expect 0 '^\{"file".*"asked":[1-9][0-9]*,"hr10":' "$T" evaluate "$dir/events.csv" --exclude-consumed --json $small
expect 0 '^\{"file".*"every":3,.*"by_history":.*"items_younger_than_a_day":.*"without":\{"context":.*"repeat":' "$T" evaluate "$dir/events.csv" --every 3 --ablate --json $small
expect 0 'without transitions .* it adds ' "$T" evaluate "$dir/events.csv" "$dir/more.csv" --every 5 --ablate $small
expect 0 '"profile":\{"asked":[1-9][0-9]*,"cross_entropy":[0-9.]+,"top1":0\.[0-9]+\}' "$T" evaluate "$dir/events.csv" --profile --json $small
expect 0 '"lists":[1-9]' "$T" replay "$dir/events.csv" --state "$dir/profiled" --profiles "$dir/profiles" --set profile.enabled=true --json $small
expect 0 '^\{"user_id":"u1",.*"categories":\[\{"category":.*"segment":"[a-z]+"' "$T" profile u1 --state "$dir/profiled" --json
expect 0 'next item, by the profile network' "$T" profile u1 --state "$dir/profiled"
expect 1 'no such user' "$T" profile nobody --state "$dir/profiled"
expect 1 'profile.enabled is false' "$T" profile u1 --state "$dir/s"
expect 2 'profile.enabled' "$T" replay "$dir/events.csv" --state "$dir/unprofiled" --profiles "$dir/none" $small
python3 - "$dir" <<'P' || failed=1
import json, sys
newest = {}
for line in open(sys.argv[1] + "/profiles"):
    p = json.loads(line)
    last = newest.get(p["user_id"])
    assert (last is None) == ("changed" not in p), line
    assert last is None or p["profile_version"] > last["profile_version"], line
    assert all(not p[k] or abs(sum(c["share"] for c in p[k]) - 1) < .2 for k in ("categories", "interests_short", "interests_long")), line
    assert p["activity"]["events_per_day"] > 0, line
    newest[p["user_id"]] = p
assert newest, "no profiles"
P
expect 2 'one file' "$T" evaluate "$dir/events.csv" "$dir/more.csv" --state "$dir/two" $small

# Rules of rank: files of ids, and the propensity of what was drawn.
printf '# ours\ni1\n' >"$dir/ids"
expect 0 '"lists":[1-9]' "$T" replay "$dir/events.csv" --state "$dir/rules" --out "$dir/rules.lists" --lists final --json $small \
    --set rank.deny="$dir/ids" --set rank.explore.share=.3 --set rank.explore.new.ms=315360000000 --set rank.category.max=3
python3 - "$dir" <<'P' || failed=1
import json, sys
for line in open(sys.argv[1] + "/rules.lists"):
    x = json.loads(line)
    assert all(i["item_id"] != "i1" and i["log_propensity"] <= 0 for i in x["items"]), line
assert "log_propensity" not in open(sys.argv[1] + "/lists").read()
P
expect 2 'rank.allow: .*/gone: No such file' "$T" evaluate "$dir/events.csv" --set rank.allow="$dir/gone" $small
expect 2 'rank.explore.share' "$T" evaluate "$dir/events.csv" --set rank.explore.share=1.5 $small

# Exclusion is hard: nothing consumed is ever in a list. (In order, so that no row is late.)
{ head -1 "$dir/events.csv"; sed 1d "$dir/events.csv" | grep '^[0-9]' | sort -t, -k1,1n; } >"$dir/ordered.csv"
"$T" replay "$dir/ordered.csv" --state "$dir/ex" --out "$dir/ex.lists" --lists final --set rank.exclude=consumed $small >/dev/null
python3 - "$dir" <<'P' || failed=1
import csv, json, sys
d = sys.argv[1]
had = {}
for row in csv.reader(open(d + "/ordered.csv")):
    if row[1] in ("click", "cart", "purchase", "review"):
        had.setdefault(row[2], set()).add(row[3])
for line in open(d + "/ex.lists"):
    x = json.loads(line)
    seen = had.get(x["user_id"], set())
    assert not [i for i in x["items"] if i["item_id"] in seen], x["user_id"]
P

# Other forms of the same events.
python3 - "$dir" <<'P'
import csv, gzip, json, sys
d = sys.argv[1]
with open(d + "/events.jsonl", "w") as out:
    for row in csv.DictReader(open(d + "/events.csv")):
        if None in row or None in row.values():
            out.write("broken\n"); continue
        out.write(json.dumps({k: (float(v) if k in ("rating", "price") else int(v) if k == "ts_ms" else v) for k, v in row.items() if v}) + "\n")
gzip.open(d + "/events.jsonl.gz", "wb").write(open(d + "/events.jsonl", "rb").read())
P
expect 0 "$(sed 's/,"seconds.*//; s/[{}]/./g; s/,"lists.*//' "$dir/first")" "$T" replay "$dir/events.jsonl.gz" --state "$dir/js" --json $small

# Bad files.
: >"$dir/empty"
expect 65 'empty' "$T" replay "$dir/empty" --state "$dir/b"
echo 'user_id,item_id' >"$dir/columns.csv"
expect 65 '"ts_ms" is missing' "$T" replay "$dir/columns.csv" --state "$dir/b"
{ printf "\001\002"; head -c 100000 /dev/urandom; } >"$dir/random" # not by chance the first byte of a form that is known
expect 65 'random' "$T" replay "$dir/random" --state "$dir/b"
gzip -c "$dir/events.csv" | head -c 20000 >"$dir/torn.csv.gz"
expect 65 'gzip ends inside its data' "$T" replay "$dir/torn.csv.gz" --state "$dir/torn" $small
expect 0 '"consumed":[1-9][0-9]+' "$T" inspect --state "$dir/torn" --json # what came before the tear is kept
expect 1 'No such file' "$T" replay "$dir/missing.csv" --state "$dir/b"
expect 1 'not a regular file' "$T" replay "$dir" --state "$dir/b"
printf 'Obj\001 and then nothing' >"$dir/bad.avro"
expect 65 'Avro' "$T" replay "$dir/bad.avro" --state "$dir/b"
expect 65 'empty' "$T" evaluate "$dir/empty"
{ head -1 "$dir/events.csv"; printf '1600000000000,click,u1,i1,,,,"never closed\n'; printf '1600000001000,click,u1,i2,,,,\n'; head -c 2000000 /dev/zero | tr '\0' 'x'; printf '\n1600000002000,click,u1,i3,,,,\n'; } >"$dir/odd.csv"
expect 0 '"consumed":4,"applied":2,"duplicate":0,"late":0,"dead_lettered":2' "$T" replay "$dir/odd.csv" --state "$dir/odd" --json $small

# Bad states.
( flock -n 9 && echo $BASHPID >"$dir/s/owner.pid" && exec sleep 20 ) 9>>"$dir/s/data.mdb" &
holder=$!
sleep 0.3
expect 1 'is open for writing in process [0-9]+' "$T" replay "$dir/events.csv" --state "$dir/s" $small
expect 0 '"users"' "$T" inspect --state "$dir/s" --json # a reader does not mind
kill $holder; wait $holder 2>/dev/null
expect 1 'state.map.max.bytes' "$T" replay "$dir/events.csv" --state "$dir/full" --set state.map.max.bytes=1m $wide
expect 0 '"consumed":'$rows "$T" replay "$dir/events.csv" --state "$dir/full" --json $wide # with room it goes on
mkdir "$dir/garbage" && head -c 8192 /dev/urandom >"$dir/garbage/data.mdb"
expect 1 'not a store' "$T" replay "$dir/events.csv" --state "$dir/garbage" $small
if [ "$(id -u)" -eq 0 ]; then
    mkdir "$dir/disk" && mount -t tmpfs -o size=300k tailwater-test "$dir/disk" 2>/dev/null && mounted=$dir/disk
    if [ -n "$mounted" ]; then
        expect 1 'disk is full' "$T" replay "$dir/events.csv" --state "$dir/disk/s" $wide
        mount -o remount,size=100m "$dir/disk"
        expect 0 '"consumed":'$rows "$T" replay "$dir/events.csv" --state "$dir/disk/s" --json $wide
        [ "$("$T" inspect --state "$dir/disk/s" --digest)" = "$("$T" inspect --state "$dir/full" --digest)" ] ||
            { echo "after a full disk the state is another"; failed=1; }
    else
        echo "no tmpfs here: the full disk is not tried"
    fi
    chmod 755 "$dir"; mkdir -m 700 "$dir/closed"; chmod 644 "$dir/events.csv"
    expect 1 'Permission denied' setpriv --reuid 65534 --clear-groups "$T" replay "$dir/events.csv" --state "$dir/closed/s" $small
else
    mkdir -m 500 "$dir/closed"
    expect 1 'Permission denied' "$T" replay "$dir/events.csv" --state "$dir/closed/s" $small
fi

# Configuration.
printf 'rank.list.size: 5\nrank.minimum.interval.ms: 3\n' >"$dir/a.yaml"
expect 2 'a.yaml:2: unknown key "rank.minimum.interval.ms"; the nearest is "rank.min.interval.ms"' "$T" config --check "$dir/a.yaml"
printf 'seed: 5\nseed: 6\n' >"$dir/b.yaml"
expect 2 'b.yaml:2: "seed" is there twice' "$T" config --check "$dir/b.yaml"
printf 'rank.list.size: 5000\n' >"$dir/c.yaml"
expect 2 'c.yaml:1: rank.list.size: 5000 is out of range' "$T" config --check "$dir/c.yaml"
printf 'rank:\n  list: 5\n' >"$dir/d.yaml"
expect 2 'd.yaml:2: rank wants one value' "$T" config --check "$dir/d.yaml"
printf 'seed: &x 5\nlearn.dim: *x\n' >"$dir/e.yaml"
expect 2 'e.yaml:1: anchors and aliases' "$T" config --check "$dir/e.yaml"
printf 'seed: [\n' >"$dir/f.yaml"
expect 2 'f.yaml:' "$T" config --check "$dir/f.yaml"
printf 'dedup.window.click.ms: 1000\n' >"$dir/g.yaml"
expect 2 'shorter than clean.lateness' "$T" config --check "$dir/g.yaml"
printf 'commit.interval.ms: 5s\nstore.journal.max.bytes: 64m\nkafka:\n  sasl.password: hidden\n' >"$dir/h.yaml"
expect 0 'good' "$T" config --check "$dir/h.yaml"
expect 0 'commit.interval.ms: 5000' "$T" config --config "$dir/h.yaml"
expect 0 'sasl.password: "\*\*\*"' "$T" config --config "$dir/h.yaml"
printf 'commit.interval.ms: 7000\n' >"$dir/later.yaml"
expect 0 'commit.interval.ms: 7000' "$T" config --config "$dir/h.yaml" --config "$dir/later.yaml" # later over earlier
"$T" config --config "$dir/h.yaml" >"$dir/i.yaml"
expect 0 'good' "$T" config --check "$dir/i.yaml" # what it prints loads again
"$T" config >"$dir/default.yaml"
diff -u "$TW_SOURCE_DIR/config/tailwater.yaml" "$dir/default.yaml" >"$dir/out" || { echo "config/tailwater.yaml is not what \`tailwater config\` prints:"; head -20 "$dir/out"; failed=1; }
expect 2 'exactly_once wants state.changelog' "$T" config --set processing.guarantee=exactly_once
expect 2 'commit.interval.ms \(6000\) is above 5000' "$T" config --set processing.guarantee=exactly_once --set state.changelog=true --set commit.interval.ms=6000
expect 0 'processing.guarantee: exactly_once' "$T" config --set processing.guarantee=exactly_once --set state.changelog=true
expect 2 'unknown key "learn.dims"; the nearest is "learn.dim"' "$T" replay x --state y --set learn.dims=5

echo "$checks commands tried"
exit $failed
