#!/usr/bin/env python3
"""Stock Python clients around a running Tailwater: what a shop's own services would use. Environment: BOOTSTRAP, REGISTRY.

  clients.py register SUBJECT SCHEMA             registers a schema and prints its id
  clients.py write TOPIC SCHEMA                  events from stdin by SerializingProducer and AvroSerializer, partitioner as it comes
  clients.py write-id TOPIC SCHEMA ID            the same bytes without asking the registry
  clients.py spoil TOPIC N                       N records that are no Avro, with a header of their own
  clients.py lists TOPIC confluent|single_object lists by AvroDeserializer or fastavro, the last of each key, as JSON lines
  clients.py compare LISTS WANTED                lists of a topic against those of `tailwater recommend --json`, field by field
  clients.py join GROUP TOPIC SECONDS            takes part in a group for a while, and takes nothing
  clients.py events KIND N FIRST                 N made-up events, numbered from FIRST, as JSON lines

SCHEMA is the path of a file, or click+1 to click+6: schemas/click.avsc in ever later versions, each backward compatible, and click-bad: one
that is not."""
import json
import os
import sys
import time

from confluent_kafka import Consumer, Producer, SerializingProducer, TopicPartition
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext, StringSerializer
import fastavro
import io

SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "schemas")
BOOTSTRAP = os.environ["BOOTSTRAP"]


def registry():
    return SchemaRegistryClient({"url": os.environ["REGISTRY"]})


def schema_of(name):
    if os.path.exists(name):
        return json.load(open(name))
    schema = json.load(open(os.path.join(SCHEMAS, "click.avsc")))
    fields = schema["fields"]
    if name == "click-bad":
        fields.append({"name": "wanted", "type": "string"})
        return schema
    version = int(name.removeprefix("click+"))
    if version >= 1:
        fields.insert(2, {"name": "campaign", "type": ["null", "string"], "default": None})
    if version >= 2:
        fields.insert(0, {"name": "page", "type": "int", "default": 0})
    if version >= 3:
        fields[:] = [f for f in fields if f["name"] != "title"]
    if version >= 4:
        fields.append({"name": "tags", "type": {"type": "array", "items": "string"}, "default": []})
    if version >= 5:
        fields.append({"name": "session", "type": "string", "default": ""})
    if version >= 6:
        fields.append({"name": "shop", "type": ["null", "long"], "default": None})
    return schema


def complete(event, schema):
    """The event with every field of the schema, as a serializer wants it."""
    made_up = {"campaign": "spring", "page": 7, "tags": ["a", "b"], "wanted": "x"}
    return {f["name"]: event.get(f["name"], made_up.get(f["name"], f.get("default"))) for f in schema["fields"]}


def lines():
    return [json.loads(line) for line in sys.stdin]


def report(sent):
    def on_delivery(error, _):
        if error:
            raise SystemExit(f"not delivered: {error}")
        sent[0] += 1
    return on_delivery


def key_of(event):
    return event["user_id"] if "user_id" in event else event["item_id"]


def register(subject, name):
    print(registry().register_schema(subject, Schema(json.dumps(schema_of(name)), "AVRO")))


def write(topic, name):
    schema, sent = schema_of(name), [0]
    producer = SerializingProducer({
        "bootstrap.servers": BOOTSTRAP,
        "key.serializer": StringSerializer("utf_8"),
        "value.serializer": AvroSerializer(registry(), json.dumps(schema)),
    })
    for event in lines():
        producer.produce(topic, key=key_of(event), value=complete(event, schema), on_delivery=report(sent))
        producer.poll(0)
    producer.flush()
    print(sent[0])


def write_id(topic, name, schema_id):
    schema, sent = schema_of(name), [0]
    parsed = fastavro.parse_schema(schema)
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for event in lines():
        out = io.BytesIO()
        out.write(b"\0" + int(schema_id).to_bytes(4, "big"))
        fastavro.schemaless_writer(out, parsed, complete(event, schema))
        producer.produce(topic, key=key_of(event), value=out.getvalue(), on_delivery=report(sent))
        producer.poll(0)
    producer.flush()
    print(sent[0])


def spoil(topic, count):
    sent = [0]
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for i in range(int(count)):
        producer.produce(topic, key=f"u{i}", value=f"no avro {i}", headers={"trace": f"t{i}"}, on_delivery=report(sent))
    producer.flush()
    print(sent[0])


def records(topic):
    """All records of a topic up to its ends now."""
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "clients", "enable.auto.commit": False,
                         "enable.partition.eof": True})
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
    ended = set()
    while len(ended) < len(partitions):
        message = consumer.poll(10)
        if message is None:
            raise SystemExit(f"{topic}: nothing came for 10 s")
        if message.error():
            ended.add(message.partition())
        else:
            yield message
    consumer.close()


def join(group, topic, seconds):
    got = []
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": group, "enable.auto.commit": False,
                         "auto.offset.reset": "latest"})
    consumer.subscribe([topic], on_assign=lambda _, partitions: got.extend(partitions))
    until = time.time() + 20
    while not got and time.time() < until:
        consumer.poll(0.1)
    consumer.poll(float(seconds))
    consumer.close()
    if not got:
        raise SystemExit(f"{group} gave no partition")


def lists(topic, form):
    schema = json.load(open(os.path.join(SCHEMAS, "recommendation.avsc")))
    parsed, last = fastavro.parse_schema(schema), {}
    canonical = fastavro.schema.to_parsing_canonical_form(schema)
    fingerprint = bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
    deserialize = AvroDeserializer(registry()) if form == "confluent" else None
    for message in records(topic):
        value = message.value()
        if deserialize:
            value = deserialize(value, SerializationContext(topic, MessageField.VALUE))
        else:
            if value[:2] != b"\xc3\x01" or value[2:10] != fingerprint:
                raise SystemExit(f"{topic}: {value[:10].hex()} is not the header of {fingerprint.hex()}")
            rest = io.BytesIO(value[10:])
            value = fastavro.schemaless_reader(rest, parsed)
            if rest.read():
                raise SystemExit(f"{topic}: bytes are left")
        last[message.key().decode()] = value
    for key, value in last.items():
        if value["user_id"] != key:
            raise SystemExit(f"{topic}: key {key}, user {value['user_id']}")
        print(json.dumps(value, default=lambda t: int(t.timestamp() * 1000 + .5)))


def same(got, want, path, tolerance):
    if isinstance(want, dict):
        return all(same(got.get(k) if got else None, want[k], f"{path}.{k}", tolerance) for k in want)
    if isinstance(want, list):
        return len(got) == len(want) and all(
            same(g, w, f"{path}[{i}]", tolerance) for i, (g, w) in enumerate(zip(got, want)))
    if isinstance(want, float) and not isinstance(got, (bool, str)) and got is not None:
        return abs(got - want) <= tolerance * max(1, abs(want)) or tell(path, got, want)
    return got == want or tell(path, got, want)


def tell(path, got, want):
    print(f"{path}: {got!r}, wanted {want!r}", file=sys.stderr)
    return False


def compare(got_path, want_path):
    got = {v["user_id"]: v for v in map(json.loads, open(got_path))}
    want = {v["user_id"]: v for v in map(json.loads, open(want_path))}
    if got.keys() != want.keys():
        raise SystemExit(f"{len(got)} users in the topic, {len(want)} wanted")
    # JSON has six digits of a score and three of a share
    good = sum(same(got[user], want[user], user, 1e-3) for user in want)
    items = sum(len(v["items"]) for v in want.values())
    print(f"{good} of {len(want)} lists the same, {items} items")
    if good < len(want) or items == 0:
        raise SystemExit(1)


def events(kind, count, first):
    start = int(time.time() * 1000) - 3600_000
    for n in range(int(first), int(first) + int(count)):
        user, item = n * 7919 % 53, (n * n + n * 31) % 97
        event = {"event_ms": start + n * 10 % 3000_000, "item_id": f"i{item}", "category": f"c{item % 5}"}
        if kind == "item":
            event |= {"item_id": f"i{n}", "title": f"Thing № {n}", "category": f"c{n % 5}", "price": n + .5,
                      "in_stock": True}
        else:
            event |= {"event_id": f"{kind}-{n}", "user_id": f"u{user}"}
        if kind in ("click", "purchase"):
            event |= {"kind": kind, "price": 9.99}
        if kind == "review":
            event |= {"rating": 1.0 + n % 5, "title": "gut, wirklich gut"}
        print(json.dumps(event))


if __name__ == "__main__":
    commands = {"register": register, "write": write, "write-id": write_id, "spoil": spoil, "lists": lists,
                "compare": compare, "join": join, "events": events}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        raise SystemExit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
