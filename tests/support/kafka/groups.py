"""Instances that share the partitions: one joins, one leaves, one comes back; what moves with a task, and how good the lists are before
and after. Called by tests/kafka/groups_test.sh."""
import json, os, sys, time
from collections import defaultdict
from confluent_kafka import Producer
from faults import Instance, changelogs, children, complain, configure, create_topics, failures, read_all, say, tail, T
from confluent_kafka.admin import NewTopic
import subprocess

PARTITIONS = 4
PREFIX, APPLICATION = "g", "group"


def wait_for(what, check, seconds=60):
    until = time.time() + seconds
    while not check():
        if time.time() > until:
            complain(f"{what}: not within {seconds} s")
            return
        time.sleep(0.2)


def logged(instance, text):
    with open(f"{instance.state}.log") as f:
        return f.read().count(text)


def start(config, state, *more):
    one = Instance(config, state)
    one.start(*more)
    return one


def hit_rate(lists, ahead):
    """Share of the users whose next item, of those they had not clicked last, is among the ten of their newest list."""
    newest = {}
    for key, value in read_all(lists):
        if value is not None:
            newest[key.decode()] = [item["item_id"] for item in json.loads(value)["items"]]
    asked = [(user, item) for user, item in ahead if user in newest]
    return sum(item in newest[user][:10] for user, item in asked) / len(asked), len(asked)


def main():
    create_topics([NewTopic(f"{PREFIX}-{n}", PARTITIONS) for n in ("events", "clicks", "lists", "lists-after")] +
                  [NewTopic(f"{PREFIX}-raw", 1), NewTopic(f"{PREFIX}-dead", 1)] + changelogs(APPLICATION, PARTITIONS))
    config = configure("group", PREFIX, APPLICATION, "at_least_once", f"{PREFIX}-lists")
    text = open(config).read()
    for topic in ("purchases", "reviews", "items"):  # the topic of clicks stays empty, partitions that nothing ever comes from
        text = text.replace(f"input.{topic}.topic: {PREFIX}-{topic}", f'input.{topic}.topic: ""')
    text = text.replace("learn.dim: 16\nlearn.negatives: 32\nrank.list.size: 3", "rank.list.size: 10")
    open(config, "w").write(text + "\n")
    with open(config, "a") as f:
        f.write("\n")
    one = [T, "--config", config, "--set", f"input.events.topic={PREFIX}-raw", "--set", "input.clicks.topic="]
    subprocess.run([one[0], "feed", *one[1:], "--events", "60000", "--users", "500", "--items", "1000"], check=True,
                   stdout=subprocess.DEVNULL)
    events = [(k, v) for k, v in read_all(f"{PREFIX}-raw")]
    split = len(events) * 8 // 10
    ahead, seen = [], set()
    for _, value in events[split:]:  # the first thing each user does later
        try:
            event = json.loads(value)
        except ValueError:
            continue
        user = event.get("user_id")
        if user and user not in seen and event.get("item_id"):
            seen.add(user)
            ahead.append((user, event["item_id"]))
    producer = Producer({"bootstrap.servers": os.environ["BOOTSTRAP"], "linger.ms": 20, "partitioner": "murmur2_random"})
    for key, value in events[:split]:
        while True:
            try:
                producer.produce(f"{PREFIX}-events", value, key=key)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()
    with open(config) as f:
        text = f.read().replace("kafka:", f"input.events.topic: {PREFIX}-events\nkafka:")
    open(config, "w").write(text)

    # One alone has everything, then another joins, then a third with nothing to do for it is still ready.
    a = start(config, "group-a")
    wait_for("one alone consumes everything", lambda: os.path.exists(a.state) and inspected(a) == split)
    b = start(config, "group-b")
    wait_for("the second adopts the first's items", lambda: logged(b, "event=adopted") == 1)
    wait_for("the second restores two tasks", lambda: logged(b, "event=restored") == 2)
    crowd = [start(config, f"group-{n}") for n in "cde"]
    wait_for("five share four partitions", lambda: sum(logged(i, "event=revoked") for i in (a, b)) >= 2)
    time.sleep(4)
    for one in crowd:
        if one.process.poll() is not None:
            complain(f"{one.state} is gone: {tail(one.state)}")
        one.stop()
    b.stop()
    time.sleep(2)
    a.stop()

    # Back with a warm store: nothing is read again.
    restored = logged(a, "event=restored")
    a.to_the_end()
    before_commits = inspected(a)
    if before_commits != split:
        complain(f"consumed {before_commits} of {split} after all the moves")
    again = logged(a, "event=restored")
    a.to_the_end()
    if logged(a, "event=restored") != again:
        complain("a warm store was restored again")
    say(f"{restored} restores while five joined and left, {again - restored} on the way back, 0 on a warm start wanted")

    # How good the lists are where they were learned, and where everything was taken over.
    subprocess.run([T, "run", "--config", config, "--state", a.state, "--publish-all", "--to-the-end"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    before, asked = hit_rate(f"{PREFIX}-lists", ahead)
    other = f"{a.state}-new"
    subprocess.run([T, "run", "--config", config, "--state", other, "--publish-all", "--to-the-end", "--set",
                    f"output.recommendations.topic={PREFIX}-lists-after"], check=True, stdout=subprocess.DEVNULL,
                   stderr=open(f"{other}.log", "a"))
    after, asked_after = hit_rate(f"{PREFIX}-lists-after", ahead)
    say(f"hit rate @10 of the next event: {before:.3f} of {asked} users before the move, {after:.3f} of {asked_after} after it")
    if asked_after != asked or after < 0.8 * before or before < 0.02:
        complain("the lists after the move are not as good as before")


def inspected(instance):
    out = subprocess.run([T, "inspect", "--state", instance.state, "--json"], capture_output=True)
    return json.loads(out.stdout)["consumed"] if out.returncode == 0 else -1


main()
sys.exit(1 if failures else 0)
