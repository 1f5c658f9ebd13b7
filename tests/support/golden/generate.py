#!/usr/bin/env python3
"""Golden Avro by fastavro: python3 generate.py > ../../unit/decode/golden/fastavro.txt (pip install fastavro).

Each case of cases.json becomes its schema, canonical form and fingerprint, and for each record its bytes and the event that a reader
must see. Where a case names a reader's schema, fastavro's own schema resolution is asked whether it sees the same."""
import io
import json
import os
import struct
import sys

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, "..", "..", "..")


def raw(text):
    return bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()


def plain(schema, value, names):
    """The value as fastavro wants it: bytes where the schema says so, named branches as pairs."""
    if isinstance(schema, str) and schema in names:
        schema = names[schema]
    if isinstance(schema, list):
        if value is None:
            return None
        if isinstance(value, dict) and set(value) == {"branch", "value"}:
            for branch in schema:
                kind = branch if isinstance(branch, str) else branch.get("name", branch["type"])
                if kind == value["branch"] or kind.split(".")[-1] == value["branch"]:
                    inner = plain(branch, value["value"], names)
                    known = names.get(kind, branch)
                    if isinstance(known, dict) and known["type"] in ("array", "fixed", "record"):
                        return inner  # found by what it is
                    return (kind, inner)
        others = [branch for branch in schema if branch != "null"]
        return plain(others[0], value, names)
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind in ("bytes", "fixed"):
        return raw(value)
    if kind == "record":
        return {f["name"]: plain(f["type"], value[f["name"]], names) for f in schema["fields"]}
    if kind == "array":
        return [plain(schema["items"], v, names) for v in value]
    if kind == "map":
        return {k: plain(schema["values"], v, names) for k, v in value.items()}
    if isinstance(kind, dict):
        return plain(kind, value, names)
    return value


def collect(schema, names):
    if isinstance(schema, list):
        for branch in schema:
            collect(branch, names)
    elif isinstance(schema, dict):
        if schema.get("type") in ("record", "enum", "fixed"):
            names[schema["name"].split(".")[-1]] = names[schema["name"]] = schema
            if "namespace" in schema:
                names[schema["namespace"] + "." + schema["name"]] = schema
        if schema.get("type") == "record":
            names["a.b." + schema["name"]] = schema
        for part in [f["type"] for f in schema.get("fields", [])] + [schema.get(k) for k in ("items", "values", "type")]:
            if isinstance(part, (dict, list)):
                collect(part, names)


def milliseconds(value):
    return round(value.timestamp() * 1000) if hasattr(value, "timestamp") else value


def check(case, schema, data, expect):
    reader = fastavro.parse_schema(json.load(open(os.path.join(root, case["reader"]))), _write_hint=False)
    seen = fastavro.schemaless_reader(io.BytesIO(data), schema, reader)
    seen = {k: milliseconds(v) for k, v in seen.items() if v is not None and v != ""}
    wanted = dict(case.get("defaults", {}), **expect)
    assert seen == wanted, (case["case"], seen, wanted)


def main():
    out = sys.stdout
    out.write("# Written by fastavro %s: tests/support/golden/generate.py\n" % fastavro.__version__)
    for case in json.load(open(os.path.join(here, "cases.json"))):
        source = json.load(open(os.path.join(root, case["file"]))) if "file" in case else case["schema"]
        names = {}
        collect(source, names)
        schema = fastavro.parse_schema(source, _write_hint=False)
        canonical = to_parsing_canonical_form(source)
        # fastavro gives the bytes of the number as hexadecimal, the least significant first
        number = struct.unpack("<Q", bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO")))[0]
        out.write("case %s\nschema %s\n" % (case["case"], json.dumps(source)))
        if "mapping" in case:
            out.write("mapping %s\n" % json.dumps(case["mapping"]))
        out.write("canonical %s\nfingerprint %016x\n" % (canonical, number))
        for record in case["records"]:
            bytes_out = io.BytesIO()
            fastavro.schemaless_writer(bytes_out, schema, plain(source, record["write"], names))
            data = bytes_out.getvalue()
            if "reader" in case:
                check(case, schema, data, record["expect"])
            out.write("datum %s\nexpect %s\n" % (data.hex(), json.dumps(record["expect"])))


main()
