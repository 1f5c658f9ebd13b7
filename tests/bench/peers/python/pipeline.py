"""The job of the benchmark as a Python program, as its users would write it with confluent-kafka, fastavro and numpy:

    pipeline.py BOOTSTRAP APPLICATION DIR EVENTS LISTS

Takes JSON events from a topic in batches, drops what is invalid, late or a duplicate within a day, learns a factor model (d = 64, one positive and five
negatives) and publishes a top-10 list over all items at a user's first and each 20th event. Users and items are written to DIR with the
positions once a second, users as Avro records, so that a start goes on from there.
"""
import json
import os
import random
import sys
import time
from collections import deque

import fastavro
import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition

BOOTSTRAP, APPLICATION, DIR, EVENTS, LISTS = sys.argv[1:6]
D, NEGATIVES, RATE, DECAY, TOP, EVERY = 64, 5, 0.05, 0.002, 10, 20
HOUR_MS, DAY_MS = 3600000, 24 * 3600000
SCHEMA = fastavro.parse_schema({"type": "record", "name": "User", "fields": [
    {"name": "id", "type": "string"}, {"name": "events", "type": "int"}, {"name": "vector", "type": "bytes"}]})

users = {}  # id: [events, vector]
item_numbers, item_ids = {}, []
items = np.zeros((1024, D), np.float32)
biases = np.zeros(1024, np.float32)
recent = deque(maxlen=65536)  # positives: drawing from them is drawing by popularity
watermarks, changed = {}, set()
seen, seen_order = set(), deque()


def number_of(item):
    global items, biases
    number = item_numbers.get(item)
    if number is None:
        number = item_numbers[item] = len(item_ids)
        item_ids.append(item)
        if number == len(items):
            items = np.concatenate([items, np.zeros_like(items)])
            biases = np.concatenate([biases, np.zeros_like(biases)])
    return number


def is_duplicate(event_id, ms, newest_ms):
    while seen_order and seen_order[0][0] < newest_ms - DAY_MS:
        seen.discard(seen_order.popleft()[1])
    if event_id in seen:
        return True
    seen.add(event_id)
    seen_order.append((ms, event_id))
    return False


def draw():
    return random.choice(recent) if recent and random.random() < 0.5 else random.randrange(len(item_ids))


def learn(user, item):
    vector = user[1]
    rows = np.array([item] + [n for n in (draw() for _ in range(NEGATIVES)) if n != item])
    labels = np.zeros(len(rows), np.float32)
    labels[0] = 1
    chosen = items[rows]
    errors = labels - 1 / (1 + np.exp(-(chosen @ vector + biases[rows])))
    items[rows] = (1 - RATE * DECAY) * chosen + RATE * errors[:, None] * vector
    biases[rows] += RATE * errors
    user[1] = (1 - RATE * DECAY) * vector + RATE * (errors @ chosen)


def best(user):
    scores = items[:len(item_ids)] @ user[1] + biases[:len(item_ids)]
    few = np.argpartition(-scores, TOP)[:TOP] if len(scores) > TOP else np.arange(len(scores))
    return [(item_ids[i], float(scores[i])) for i in few[np.argsort(-scores[few])]]


def process(message, producer):
    try:
        event = json.loads(message.value())
        user_id, item_id, ms = event["user_id"], event["item_id"], int(event["event_ms"])
    except (ValueError, KeyError, TypeError):
        return
    if not user_id or not item_id or ms < 0 or event.get("price", 0) < 0 or ms > message.timestamp()[1] + DAY_MS:
        return
    kind, partition = event.get("kind", ""), message.partition()
    newest_ms = watermarks[partition] = max(watermarks.get(partition, ms), ms)
    if ms < newest_ms - (HOUR_MS if kind in ("click", "cart") else DAY_MS):
        return
    if is_duplicate((kind, event.get("event_id") or (user_id, item_id, ms)), ms, newest_ms):
        return
    user = users.get(user_id)
    if user is None:
        user = users[user_id] = [0, np.random.default_rng(len(users)).normal(0, 0.1 / D ** 0.5, D).astype(np.float32)]
    user[0] += 1
    item = number_of(item_id)
    learn(user, item)
    recent.append(item)
    changed.add(user_id)
    if user[0] == 1 or user[0] % EVERY == 0:
        rows = [{"item_id": i, "score": score} for i, score in best(user)]
        producer.produce(LISTS, key=user_id, value=json.dumps(
            {"user_id": user_id, "event_ms": ms, "partition": partition, "offset": message.offset(), "items": rows}))
        producer.poll(0)


def commit(producer, positions):
    producer.flush()
    with open(os.path.join(DIR, "users.log"), "ab") as log:
        for user_id in changed:
            fastavro.schemaless_writer(log, SCHEMA, {"id": user_id, "events": users[user_id][0], "vector": users[user_id][1].tobytes()})
        log.flush()
        os.fsync(log.fileno())
    changed.clear()
    with open(os.path.join(DIR, "state.new"), "wb") as state:
        np.savez(state, items=items, biases=biases, ids=np.array(item_ids, dtype=object), positions=np.array(sorted(positions.items())))
        state.flush()
        os.fsync(state.fileno())
    os.replace(os.path.join(DIR, "state.new"), os.path.join(DIR, "state.npz"))


def main():
    os.makedirs(DIR, exist_ok=True)
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": APPLICATION, "enable.auto.commit": False,
                         "auto.offset.reset": "earliest", "queued.min.messages": 1000000})
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "acks": "all", "linger.ms": 5, "compression.type": "lz4",
                         "queue.buffering.max.messages": 1000000})
    consumer.subscribe([EVENTS])
    positions, committed = {}, time.monotonic()
    while True:
        for message in consumer.consume(1000, 0.1):
            if message.error():
                continue
            process(message, producer)
            positions[message.partition()] = message.offset() + 1
        if positions and time.monotonic() - committed >= 1:
            commit(producer, positions)
            consumer.commit(offsets=[TopicPartition(EVENTS, p, o) for p, o in positions.items()], asynchronous=True)
            committed = time.monotonic()


main()
