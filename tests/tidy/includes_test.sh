#!/usr/bin/env bash
# The house rules that a machine can check: arrows point down only, one door per foreign library, own header first, files of one
# idea, no loose ends.
set -u
cd "$TW_SOURCE_DIR" || exit 1
failed=0
complain() { echo "$1"; failed=1; }

# What a folder may include beside itself.
may_use() {
    case $1 in
    base) echo "" ;;
    config | math | avro | store) echo "base" ;;
    kafka) echo "config base" ;;
    model) echo "math config base" ;;
    drift) echo "math base" ;;
    pipeline/ingest) echo "avro kafka config base" ;;
    pipeline/decode) echo "avro base" ;;
    pipeline/clean) echo "math config base" ;;
    pipeline/learn) echo "model config base" ;;
    pipeline/rank) echo "model config base" ;;
    pipeline/publish) echo "avro kafka config base" ;;
    engine) echo "pipeline/ingest pipeline/decode pipeline/clean pipeline/learn pipeline/rank pipeline/publish model store drift config base" ;;
    serve) echo "engine pipeline/publish store model config base" ;;
    embed) echo "engine pipeline/ingest pipeline/decode pipeline/clean config base" ;;
    evaluate) echo "engine pipeline/ingest pipeline/learn pipeline/rank model config base" ;;
    train) echo "engine pipeline/ingest pipeline/learn model math config base" ;;
    cli) echo "serve evaluate train engine pipeline/ingest pipeline/decode pipeline/clean pipeline/learn pipeline/rank pipeline/publish avro kafka model store math config base" ;;
    *) echo UNKNOWN ;;
    esac
}

while IFS= read -r file; do
    folder=$(dirname "${file#src/}")
    case $folder in serve/*) folder=serve ;; esac
    allowed=$(may_use "$folder")
    [ "$allowed" != UNKNOWN ] || complain "$file: a folder that the rules do not know"
    while IFS= read -r include; do
        used=$(dirname "$include")
        case $used in
        "$folder" | tailwater | .) continue ;;
        esac
        case " $allowed " in
        *" $used "*) ;;
        *) complain "$file includes $include: $folder may not use $used" ;;
        esac
    done < <(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file")
done < <(git ls-files 'src/*.c' 'src/*.h' 'src/*.inc')

door() { # header-pattern folder
    local hits
    hits=$(git ls-files 'src/*.c' 'src/*.h' | grep -v "^src/$2/" | xargs grep -lE "#include <$1" 2>/dev/null)
    [ -z "$hits" ] || complain "$1 through a second door: $hits"
}
door 'lmdb\.h' store
door 'avro' avro
door 'librdkafka' kafka
door 'cblas' math
door 'microhttpd' serve
door 'yaml\.h' config
door 'xxhash' base
door 'jansson' base
door 'curl' kafka

while IFS= read -r file; do
    [ "$(wc -l <"$file")" -le 700 ] || complain "$file: more than 700 lines; two ideas?"
done < <(git ls-files 'src/*' 'include/*' | grep -E '\.(c|h|inc)$')

while IFS= read -r file; do
    own=${file#src/}
    own=${own%.c}.h
    [ -f "src/$own" ] || continue
    first=$(sed -n 's/^#include [<"]\([^>"]*\)[>"].*/\1/p' "$file" | head -1)
    [ "$first" = "$own" ] || [ "$first" = "$(dirname "$own")/internal.h" ] || complain "$file: includes $first before its own header"
done < <(git ls-files 'src/*.c')

while IFS= read -r file; do
    grep -q '^#ifndef ' "$file" || complain "$file: no include guard"
    head -1 "$file" | grep -q '^/\*' || complain "$file: does not open with what it is for"
done < <(git ls-files 'src/*.h' 'include/*.h')

hits=$(git grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -- src include tests ':!tests/tidy')
[ -z "$hits" ] || complain "left open: $hits"

if [ -d "${TW_BUILD_DIR:-/nonexistent}" ]; then
    hits=$(find "$TW_BUILD_DIR" -maxdepth 1 -name 'libtw_*.a' -exec nm --defined-only -g {} + 2>/dev/null |
        awk '$2 ~ /^[TDBR]$/ && $3 !~ /^(tw_|main$|_|\.|XXH)/ {print $3}' | sort -u)
    [ -z "$hits" ] || complain "symbols without tw_: $hits"
fi
exit $failed
