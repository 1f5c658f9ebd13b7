"""Faults against the real broker, with counts. Called by tests/kafka/faults_test.sh.

A shop that goes on selling (with duplicates, late and broken events on purpose, and poison that no decoder reads) is consumed by two
instances, which are killed and frozen at random instants while the broker fails under them. Afterwards one instance takes everything over,
and what it holds is compared with a run that nothing disturbed: the four counters, and for each user how many events were
applied and which items are known, how often and whether bought. Under exactly_once no reader of committed records may see a list
or a profile twice or a version that goes back. On one partition the state itself must come out the same, bit for bit, also when a
process dies between the commit of the changelog and that of the store.
"""
import atexit, collections, json, os, random, signal, struct, subprocess, sys, time
from confluent_kafka import Consumer, Producer, TopicPartition, KafkaError
from confluent_kafka.admin import AdminClient, NewTopic

T, BOOTSTRAP, KAFKA, DIR = (os.environ[n] for n in ("T", "BOOTSTRAP", "KAFKA", "dir"))
FULL = os.environ.get("FAULTS") != "short"
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
rng = random.Random(SEED)
failures, faults, tries = [], 0, 0


def say(text):
    print(text, flush=True)


def complain(text):
    failures.append(text)
    say("FAILED: " + text)


def fault(what, pause=0.0):
    global faults
    faults += 1
    say(f"  {time.strftime('%X')} fault {faults}: {what}")
    time.sleep(pause)


def local(*command):
    subprocess.run(["bash", KAFKA, *command], check=True)


def create_topics(topics):
    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    for done in admin.create_topics(topics).values():
        done.result()


def create(prefix, partitions, application):
    compact = {"cleanup.policy": "compact"}
    topics = [NewTopic(f"{prefix}-{n}", partitions) for n in ("clicks", "purchases", "reviews", "lists", "profiles")]
    topics += [NewTopic(f"{prefix}-items", 1, config=compact), NewTopic(f"{prefix}-dead", 1)]
    create_topics(topics + changelogs(application, partitions))


def changelogs(application, partitions):
    compact = {"cleanup.policy": "compact"}
    return [NewTopic(f"{application}-state-changelog", partitions, config=compact),
            NewTopic(f"{application}-model-changelog", 1, config=compact)]


def configure(name, prefix, application, guarantee, lists, profiles=""):
    path = f"{DIR}/{name}.yaml"
    with open(path, "w") as f:
        f.write(f"""application.id: {application}
processing.guarantee: {guarantee}
state.changelog: true
input.clicks.topic: {prefix}-clicks
input.purchases.topic: {prefix}-purchases
input.reviews.topic: {prefix}-reviews
input.items.topic: {prefix}-items
output.recommendations.topic: {lists}
output.profiles.topic: "{profiles}"
profile.enabled: {"true" if profiles else "false"}
output.dead.letters.topic: {prefix}-dead
serve.enabled: false
learn.dim: 16
learn.negatives: 32
rank.list.size: 3
rank.min.interval.ms: 200
kafka:
  bootstrap.servers: {BOOTSTRAP}
  session.timeout.ms: 6000
  heartbeat.interval.ms: 500
  linger.ms: 5
""")
    return path


children = []


@atexit.register
def end_children():
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGCONT)
            child.kill()


class Instance:
    def __init__(self, config, state, env=None):
        self.config, self.state, self.env = config, f"{DIR}/{state}", env or {}
        self.process = None

    def start(self, *more, env=None):
        self.log = open(f"{self.state}.log", "a")
        self.process = subprocess.Popen([T, "run", "--config", self.config, "--state", self.state, *more],
                                        stdout=self.log, stderr=self.log, env={**os.environ, **self.env, **(env or {})})
        children.append(self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            code = "no end within 60 s"
        if code != 0:
            complain(f"{self.state} ended with {code}: {tail(self.state)}")

    def to_the_end(self):
        code = subprocess.run([T, "run", "--config", self.config, "--state", self.state, "--to-the-end"], timeout=180,
                              stdout=open(f"{self.state}.log", "a"), stderr=subprocess.STDOUT).returncode
        if code != 0:
            complain(f"{self.state} to the end: {code}: {tail(self.state)}")

    def inspect(self):
        return json.loads(subprocess.run([T, "inspect", "--state", self.state, "--json"], check=True, capture_output=True).stdout)


def tail(state):
    with open(f"{state}.log", errors="replace") as f:
        return f.read()[-600:]


def read_all(topic, committed=True):
    """All records of a topic that a reader sees, in order within partitions."""
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": f"reader-{rng.random()}", "enable.partition.eof": True,
                         "isolation.level": "read_committed" if committed else "read_uncommitted", "auto.offset.reset": "earliest"})
    partitions = list(consumer.list_topics(topic).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
    left, records = set(partitions), []
    while left:
        message = consumer.poll(30)
        if message is None:
            raise RuntimeError(f"{topic}: no end of {left} within 30 s")
        if message.error():
            if message.error().code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition())
                continue
            raise RuntimeError(message.error())
        records.append((message.key(), message.value()))
    consumer.close()
    return records


def users_of(application):
    """What the changelog knows of each user: events applied and {item: (times met, bought)}."""
    users = {}
    for key, value in read_all(f"{application}-state-changelog"):
        if not key.startswith(b"u"):
            continue
        if value is None:
            users.pop(key[1:], None)
            continue
        at = 1 + 5 * 8 + 4
        (shown,) = struct.unpack_from("<I", value, at)  # of the profile published last: names and a byte each
        at += 4
        for _ in range(shown):
            at += 4 + struct.unpack_from("<I", value, at)[0] + 1
        at += 8
        events, count = struct.unpack_from("<II", value, at)
        at += 8
        past = {}
        for _ in range(count):
            (size,) = struct.unpack_from("<I", value, at)
            item = value[at + 4: at + 4 + size]
            _, times, flags = struct.unpack_from("<IHB", value, at + 4 + size)
            at += 4 + size + 7
            past[item] = (times, flags & 1)  # a dislike depends on which topic was read first
        users[key[1:]] = (events, past)
    return users


def check_outputs(topic, what, exactly_once):
    """what: list or profile. Returns the users seen and which versions of each there were."""
    seen, newest, versions, twice, back = collections.Counter(), {}, set(), 0, 0
    for key, value in read_all(topic):
        if value is None:
            continue
        one = json.loads(value)
        user, version = one["user_id"], one[f"{what}_version"]
        back += version < newest.get(user, 0)
        newest[user] = max(version, newest.get(user, 0))
        versions.add((user, version))
        at = (user, version, one.get("topic"), one.get("partition"), one.get("offset"))
        seen[at] += 1
        twice += seen[at] > 1
    say(f"  {sum(seen.values())} {what}s of {len(newest)} users, {twice} seen twice, {back} behind an older one")
    if exactly_once and (twice or back):
        complain(f"exactly_once: {twice} {what}s seen twice, {back} versions gone back")
    return set(newest), versions


def poison(prefix):
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "message.max.bytes": 4000000})
    records = [b"", b"\x00\x01", b"{", b"\xff" * 100, b'{"user_id":' * 2000, b'"just a text"', b"[1,2,3]", os.urandom(300)]
    for value in records:
        producer.produce(f"{prefix}-clicks", value, key=b"poison")
    producer.flush()
    return len(records)


def kills(guarantee, count, partitions=4):
    """Two instances under load."""
    global tries
    name = guarantee.replace("_", "-")
    prefix, application, lists = f"f-{name}", f"killed-{name}", f"f-{name}-lists"
    say(f"{guarantee}: {count} kills, two instances, {partitions} partitions")
    create(prefix, partitions, application)
    config = configure(f"k-{name}", prefix, application, guarantee, lists, f"{prefix}-profiles")
    feeder = subprocess.Popen([T, "feed", "--config", config, "--rate", "1500", "--users", "400", "--items", "200", "--set",
                               "kafka.linger.ms=20", "--set", "shutdown.timeout.ms=100s"], stdout=subprocess.PIPE, text=True)
    children.append(feeder)
    pair = [Instance(config, f"{name}-{i}") for i in range(2)]
    for one in pair:
        one.start()
    time.sleep(5)
    sent = poison(prefix)
    for n in range(count):
        one = rng.choice(pair)
        time.sleep(rng.uniform(0.1, 4))
        one.kill()
        fault(f"kill -9 of {os.path.basename(one.state)}")
        time.sleep(rng.choice((0, 0, 8)))  # back at once, or after the group has noticed
        one.start()
        if n % 3 == 1:  # while its tasks are being restored
            time.sleep(rng.uniform(0.05, 0.6))
            one.kill()
            fault("kill -9 while it starts")
            one.start()
    pair[0].process.send_signal(signal.SIGSTOP)
    fault("an instance frozen for longer than its session", 9)
    pair[0].process.send_signal(signal.SIGCONT)
    time.sleep(3)
    local("kill")
    fault("kill -9 of the broker", 2)
    local("up")
    time.sleep(5)
    local("stop")
    fault("the broker frozen", 60 if FULL else 8)
    local("cont")
    time.sleep(5)
    feeder.send_signal(signal.SIGINT)
    sent += int(feeder.communicate(timeout=120)[0].split()[1])
    for one in pair:
        if one.process.poll() is not None:
            complain(f"{one.state} is gone ({one.process.returncode}): {tail(one.state)}")
        else:
            one.stop()
    last = Instance(config, f"{name}-last")
    last.to_the_end()
    compare(guarantee, prefix, application, last, sent, partitions)
    users, versions = check_outputs(lists, "list", guarantee == "exactly_once")
    _, profiled = check_outputs(f"{prefix}-profiles", "profile", guarantee == "exactly_once")
    if guarantee == "exactly_once" and profiled != versions:
        complain(f"{len(profiled ^ versions)} lists without their profile or the other way round")
    missing = set(users_of(application)) - {u.encode() for u in users}
    if missing:
        complain(f"{len(missing)} users have no list")
    tries += sent


lost = applied_twice = 0


def compare(guarantee, prefix, application, last, sent, partitions):
    global lost, applied_twice
    other = f"whole-{application}"
    create_topics(changelogs(other, partitions) + [NewTopic(f"{other}-lists", partitions), NewTopic(f"{other}-profiles", partitions)])
    whole = Instance(configure(other, prefix, other, guarantee, f"{other}-lists", f"{other}-profiles"), other)
    whole.to_the_end()
    here, there = last.inspect(), whole.inspect()
    for counter in ("consumed", "applied", "duplicate", "late", "dead_lettered"):
        if here[counter] != there[counter]:
            complain(f"{counter}: {here[counter]}, undisturbed {there[counter]}")
    if here["consumed"] != sent:
        complain(f"sent {sent}, consumed {here['consumed']}")
    lost += max(0, sent - here["consumed"]) + max(0, there["applied"] - here["applied"])
    a, b = users_of(application), users_of(other)
    wrong = 0
    for user in a.keys() | b.keys():
        got, want = a.get(user, (0, {})), b.get(user, (0, {}))
        applied_twice += max(0, got[0] - want[0])
        lost += max(0, want[0] - got[0])
        wrong += got != want
    say(f"  {sent} records sent, {here['consumed']} consumed, {len(a)} users, {wrong} of them other than undisturbed")
    if wrong:
        complain(f"{wrong} users are not what they would be undisturbed")


def one_partition(count):
    """The state bit for bit, with deaths between changelog and store."""
    global tries
    prefix = "f-one"
    say(f"one partition: {count} deaths at chosen points, {count} at random")
    create(prefix, 1, "one-killed")
    create_topics(changelogs("one-whole", 1) + [NewTopic("one-whole-lists", 1), NewTopic("one-killed-lists", 1)])
    only = ["input.purchases.topic: \"\"", "input.reviews.topic: \"\"", "input.items.topic: \"\"", "input.clicks.topic: \"\"",
            f"input.events.topic: {prefix}-clicks", "commit.interval.ms: 20"]
    configs = {}
    for who in ("whole", "killed"):
        path = configure(f"one-{who}", prefix, f"one-{who}", "exactly_once", f"one-{who}-lists")
        text = open(path).read()
        for line in only:
            key = line.split(":")[0]
            text = "\n".join(l for l in text.splitlines() if not l.startswith(key + ":"))
            text = line + "\n" + text
        open(path, "w").write(text + "\n")
        configs[who] = path
    subprocess.run([T, "feed", "--config", configs["whole"], "--events", "100000"], check=True, stdout=subprocess.DEVNULL)
    whole = Instance(configs["whole"], "one-whole")
    whole.to_the_end()
    killed = Instance(configs["killed"], "one-killed")
    points = ["engine.shared", "engine.flushed", "store.commit", "engine.committed"]
    for n in range(count):
        point = points[n % len(points)] if n % 2 else "engine.shared"
        killed.start("--to-the-end", env={"TAILWATER_FAILPOINT": f"{point}:{rng.randrange(1, 9)}"})
        code = killed.process.wait(120)
        if code == -9:
            fault(f"died at {point}")
        full = Instance(configs["killed"], "one-killed")
        full.start("--to-the-end", env={"TAILWATER_FAILPOINT": f"store.commit:{rng.randrange(1, 4) if n else 1}:fail"})  # 1: twice in a row
        if full.process.wait(120) == 1:
            fault("the disk was full at a commit")
            if "nothing is lost" not in tail(full.state):
                complain(f"a full disk reads: {tail(full.state)}")
        killed.start("--to-the-end")
        time.sleep(rng.uniform(0.3, 2.5))
        if killed.process.poll() is None:
            killed.kill()
            fault("kill -9")
    killed.to_the_end()
    digests = [subprocess.run([T, "inspect", "--state", i.state, "--digest"], check=True, capture_output=True, text=True).stdout.strip()
               for i in (whole, killed)]
    silent = open(f"{killed.state}.log", errors="replace").read().count("event=replaying")
    say(f"  {silent} silent replays, digests {digests}")
    if digests[0] != digests[1]:
        complain("the state is not what it would be undisturbed")
    if silent == 0:
        complain("no silent replay happened: nothing was tested")
    check_outputs("one-killed-lists", "list", True)
    tries += 100000


def main():
    say(f"seed {SEED}")
    for scenario in os.environ.get("FAULTS_OF", "one_partition exactly_once at_least_once").split():
        if scenario == "one_partition":
            one_partition(16 if FULL else 4)
        else:
            kills(scenario, 30 if FULL else 5)
    say(f"faults {faults} tries {tries} lost {lost} applied_twice {applied_twice}")
    sys.exit(1 if failures or lost or applied_twice else 0)


if __name__ == "__main__":
    main()
