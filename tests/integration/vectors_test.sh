#!/usr/bin/env bash
# Files of vectors from outside: what `export vectors` and `train embeddings` write, by the rules that gensim reads by, and what is refused.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=tests/support/expect.sh
. "$TW_SOURCE_DIR/tests/support/expect.sh"
T=$TAILWATER

# Two ids become one word, and of one item nothing is ever learned.
awk -v n=2000 -v seed=5 -f "$TW_SOURCE_DIR/tests/support/events.awk" | grep -v ,thing >"$dir/events.csv"
{
    cat "$dir/events.csv"
    for i in 1 2 3; do printf '160100000%d000,click,w,red shoe,c1,,,\n160100000%d500,click,w,red_shoe,c1,,,\n' $i $i; done
    printf '1601000009000,item,,never met,c1,,,\n'
} >"$dir/all.csv"
"$T" replay "$dir/all.csv" --state "$dir/s" --lists none --set learn.dim=16 --set learn.negatives=32 >/dev/null

for form in word2vec word2vec-binary glove; do
    expect 0 '^\{"file":".*","format":"'$form'","vectors":[1-9][0-9]*,"dim":16,"unlearned":1,"same_word":1\}$' \
        "$T" export vectors "$dir/v.$form" --state "$dir/s" --format $form --json
done
expect 0 '^[0-9]+ vectors of 16 numbers to .*/again; left out 1 items of which nothing.*left out 1 items whose id' \
    "$T" export vectors "$dir/again" --state "$dir/s"
cmp -s "$dir/again" "$dir/v.word2vec" || { echo "the same state gave another file"; failed=1; }

# As gensim.models.keyedvectors reads them (its 4.4.0 did, bit for bit, when this was written).
cat >"$dir/forms.py" <<'P'
import struct
f32 = lambda x: struct.unpack("f", struct.pack("f", float(x)))[0]
def text(path, dim=0): # dim: of a file without a header
    lines = open(path, "rb").read().split(b"\n")
    assert lines.pop() == b""
    count, dim = (len(lines), dim) if dim else map(int, lines.pop(0).split())
    assert len(lines) == count
    read = {}
    for line in lines:
        word, *numbers = line.decode("utf8").rstrip().split(" ")
        assert len(numbers) == dim and word not in read
        read[word] = tuple(map(f32, numbers))
    return read
def binary(path):
    data = open(path, "rb").read()
    end = data.index(b"\n")
    count, dim = map(int, data[:end].split())
    at, read = end + 1, {}
    for _ in range(count):
        blank = data.index(b" ", at)
        word = data[at:blank].decode("utf8").lstrip("\n")
        read[word] = struct.unpack_from("<%df" % dim, data, blank + 1)
        at = blank + 1 + 4 * dim
    assert data[at:] == b"\n" and len(read) == count
    return read
P
export PYTHONPATH=$dir PYTHONDONTWRITEBYTECODE=1
python3 - "$dir" <<'P' || failed=1
import csv, sys
from forms import text, binary
d = sys.argv[1]
a, b, c = text(d + "/v.word2vec"), binary(d + "/v.word2vec-binary"), text(d + "/v.glove", 16)
assert a == b == c and list(a) == list(b) == list(c)
assert "red_shoe" in a and "never_met" not in a and all(any(v) for v in a.values())
met = {r[3] for r in csv.reader(open(d + "/events.csv")) if len(r) > 3}
assert set(a) - {"red_shoe"} <= met and len(a) > 100, len(a)
P

# Embeddings of what was met together: the same in each form, and again with the same seed.
for form in word2vec word2vec-binary glove; do
    expect 0 '"items":[1-9][0-9]*,"rare":[1-9][0-9]*,"size":100,"window":5,"negatives":5,"seed":1,"pairs":[1-9][0-9]*,"loss":\[([0-9.]+,){4}[0-9.]+\]' \
        "$T" train embeddings "$dir/all.csv" --out "$dir/e.$form" --format $form --json
done
expect 0 '^[0-9]+ vectors of 100 numbers to ' "$T" train embeddings "$dir/all.csv" --out "$dir/again"
cmp -s "$dir/again" "$dir/e.word2vec" || { echo "the same seed gave another file"; failed=1; }
expect 0 '"size":8,"window":2,"negatives":3,"seed":9' "$T" train embeddings "$dir/all.csv" "$dir/events.csv" --out "$dir/e.small" \
    --size 8 --window 2 --negatives 3 --epochs 2 --min-count 1 --session 30 --set seed=9 --json
python3 - "$dir" <<'P' || failed=1
import sys
from forms import text, binary
d = sys.argv[1]
a, b, c = text(d + "/e.word2vec"), binary(d + "/e.word2vec-binary"), text(d + "/e.glove", 100)
assert a == b == c and list(a) == list(b) and len(a) > 50 and len(next(iter(a.values()))) == 100
small = text(d + "/e.small")
assert set(a) < set(small) and "red_shoe" in small and len(small["red_shoe"]) == 8
P

# New items start from a file: what it knew of them is told, and a state belongs to one file.
small="--lists none --set learn.dim=16 --set learn.negatives=32"
printf '0 8\n' >"$dir/from.vec" # some ids, one of them twice, and a word of all titles
sed -n '2,40p; 2p' "$dir/e.small" >>"$dir/from.vec"
printf 'thing .1 .2 .3 .4 .5 .6 .7 .8\n' >>"$dir/from.vec"
sed -i "1s/0/$(($(wc -l <"$dir/from.vec") - 1))/" "$dir/from.vec"
cp "$dir/from.vec" "$dir/copy.vec"
with="--set learn.vectors.file=$dir/from.vec"
# shellcheck disable=SC2086
{
    expect 0 'event=vectors words=40 dim=8 form=word2vec duplicates=1' "$T" replay "$dir/all.csv" --state "$dir/from" $small $with
    expect 0 'event=vectors_hits items_by_id=39 items_by_words=[1-9][0-9]* items_unknown=3' "$T" replay "$dir/all.csv" --state "$dir/again.s" $small $with
    digest=$("$T" inspect --state "$dir/from" --digest)
    [ "$digest" = "$("$T" inspect --state "$dir/again.s" --digest)" ] || { echo "the same file made a difference"; failed=1; }
    [ "$digest" != "$("$T" inspect --state "$dir/s" --digest)" ] || { echo "the file made no difference"; failed=1; }
    expect 0 '"vectors":\{"by_id":39,"by_words":[1-9][0-9]*,"unknown":3\}' "$T" inspect --state "$dir/from" --json
    expect 0 'by words +[1-9]' "$T" inspect --state "$dir/from"
    expect 0 '"dim":16' "$T" export vectors "$dir/x" --state "$dir/from" --json # who only reads a state wants no file
    rm "$dir/x"
    expect 0 'items_by_id=39' "$T" replay "$dir/events.csv" --state "$dir/from" $small --set learn.vectors.file="$dir/copy.vec" # wherever it lies
    expect 1 'the file that the state was made with' "$T" replay "$dir/all.csv" --state "$dir/from" $small \
        --set learn.vectors.file="$dir/e.glove"
    expect 1 'with a file of vectors: learn.vectors.file must name it' "$T" replay "$dir/all.csv" --state "$dir/from" $small
    expect 1 'made without vectors' "$T" replay "$dir/all.csv" --state "$dir/s" $small $with
    for form in word2vec word2vec-binary glove; do # what we write, we read
        expect 0 'event=vectors_hits items_by_id=[1-9][0-9]+ items_by_words=0' \
            "$T" replay "$dir/all.csv" --state "$dir/of.$form" $small --set learn.vectors.file="$dir/v.$form"
        "$T" inspect --state "$dir/of.$form" --json | grep -o '"vectors":.*"unknown":[0-9]*' >"$dir/hits.$form"
        cmp -s "$dir/hits.$form" "$dir/hits.word2vec" || { echo "$form is read as another file"; failed=1; }
    done
    expect 0 '"asked":[1-9]' "$T" evaluate "$dir/events.csv" --json --every 5 $with --set learn.dim=16
    expect 2 'learn.vectors.file: learn.model: mf has nothing' "$T" replay "$dir/all.csv" --state "$dir/b" $with --set learn.model=mf
    expect 1 'learn.vectors.file: .*No such file' "$T" replay "$dir/all.csv" --state "$dir/b" --set learn.vectors.file="$dir/gone"
    sed '7s/ [^ ]*$//' "$dir/from.vec" >"$dir/short"
    expect 65 'learn.vectors.file: .*/short: line 7: 8 fields, where a word and 8 numbers' \
        "$T" replay "$dir/all.csv" --state "$dir/b" --set learn.vectors.file="$dir/short"
    sed '7s/ [^ ]*$/ nan/' "$dir/from.vec" >"$dir/nan"
    expect 65 'line 7: number 8 is not finite' "$T" evaluate "$dir/all.csv" --set learn.vectors.file="$dir/nan"
    expect 65 'from.vec: offset ' "$T" evaluate "$dir/all.csv" $with --set learn.vectors.format=word2vec-binary
}

# What is refused.
expect 2 'usage: tailwater train WHAT' "$T" train
expect 2 '"dance" cannot be trained' "$T" train dance
expect 2 'unknown option --dance' "$T" train --dance
expect 0 'embeddings +Vectors of the items' "$T" train --help
expect 0 'Options:' "$T" train embeddings --help
expect 2 'usage: tailwater train embeddings' "$T" train embeddings
expect 2 '--out FILE is wanted' "$T" train embeddings "$dir/all.csv"
expect 2 '--format auto: word2vec, word2vec-binary or glove' "$T" train embeddings "$dir/all.csv" --out "$dir/x" --format auto
expect 2 '--size 0: a whole number from 1 to 4096' "$T" train embeddings "$dir/all.csv" --out "$dir/x" --size 0
expect 1 'No such file' "$T" train embeddings "$dir/gone.csv" --out "$dir/x"
expect 1 'Is a directory' "$T" train embeddings "$dir/all.csv" --out "$dir"
expect 1 'no item is met 99999 times' "$T" train embeddings "$dir/all.csv" --out "$dir/x" --min-count 99999
{ head -1 "$dir/events.csv"; for i in 1 2 3 4 5; do printf '160100000%d000,click,u%d,i1,,,,\n' $i $i; done; } >"$dir/alone.csv"
expect 1 'no user meets two of the 1 items' "$T" train embeddings "$dir/alone.csv" --out "$dir/x"
: >"$dir/empty"
expect 65 'empty' "$T" train embeddings "$dir/empty" --out "$dir/x"
expect 2 'usage: tailwater export vectors FILE' "$T" export
expect 2 '"words" cannot be exported' "$T" export words "$dir/x" --state "$dir/s"
expect 2 '--format auto: word2vec, word2vec-binary or glove' "$T" export vectors "$dir/x" --state "$dir/s" --format auto
expect 2 'state' "$T" export vectors "$dir/x"
expect 1 'no such directory' "$T" export vectors "$dir/x" --state "$dir/none"
expect 1 'Is a directory' "$T" export vectors "$dir" --state "$dir/s"
expect 1 'No such file' "$T" export vectors "$dir/none/x" --state "$dir/s"
{ head -1 "$dir/events.csv"; printf '1601000009000,item,,never met,c1,,,\n'; } >"$dir/item.csv"
"$T" replay "$dir/item.csv" --state "$dir/item" --lists none >/dev/null
expect 1 'no item of which anything was learned' "$T" export vectors "$dir/x" --state "$dir/item"
[ ! -e "$dir/x" ] && [ ! -e "$dir/x.part" ] || { echo "something was left behind"; failed=1; }

echo "$checks commands tried"
exit $failed
