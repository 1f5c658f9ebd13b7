"""The benchmark against a real broker, called by run.sh, which has started it: one table, or --json.

Both sides take the same prefilled topic of JSON events (tailwater feed; 4 partitions), learn a factor model (d = 64, one positive and five
negatives), drop duplicates in a window, keep users in a durable store with a changelog topic, and publish a top-10 list over all items at
a user's first and each 20th event, with one thread that processes. Each figure is the median of its runs, the spread beside it.
"""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

T, BENCH, PEER, DIR, BOOTSTRAP = (os.environ[n] for n in ("T", "KAFKA_BENCH", "PEER", "dir", "BOOTSTRAP"))
PARTITIONS = 4
GUARANTEES = {"at_least_once": "at_least_once", "exactly_once": "exactly_once_v2"}
QUIET_S = 6  # no list for so long: all events are taken

admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
asker = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "bench-asker"})
children, names = [], iter(range(1000000))


def say(text):
    print(text, file=sys.stderr, flush=True)


def make_topic(name, **config):
    config = {k.replace("_", "."): v for k, v in config.items()}
    for future in admin.create_topics([NewTopic(name, PARTITIONS, 1, config=config)]).values():
        future.result()


def drop_topics(*prefixes):
    """What a run has written is of no further use, and its bytes would weigh on the next one's page cache."""
    topics = [t for t in admin.list_topics(timeout=10).topics if t.startswith(prefixes)]
    for future in (admin.delete_topics(topics) if topics else {}).values():
        future.result()


def size_of(topic):
    return sum(asker.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in range(PARTITIONS))


def bench(*args):
    done = subprocess.run([BENCH, *map(str, args)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"kafka_bench {' '.join(map(str, args))}: {done.stderr}")
    return json.loads(done.stdout)


def configure(application, events, lists, guarantee, **more):
    path = os.path.join(DIR, f"{application}.yaml")
    settings = {
        "application.id": application,
        "state.dir": os.path.join(DIR, application),
        "input.clicks.topic": '""', "input.purchases.topic": '""', "input.reviews.topic": '""', "input.items.topic": '""',
        "input.events.topic": events,
        "output.recommendations.topic": lists,
        "output.dead.letters.topic": f"{application}-dead",
        "processing.guarantee": guarantee, "state.changelog": "true",
        "learn.model": "mf", "rank.list.size": 10, "rank.every.events": 20,
        "topics.partitions": PARTITIONS, "serve.enabled": "false", **more}
    with open(path, "w") as f:
        for key, value in settings.items():
            f.write(f"{key}: {value}\n")
        f.write(f"kafka:\n  bootstrap.servers: {BOOTSTRAP}\n")
    return path


def start(args, log, env=None):
    with open(log, "a") as f:
        child = subprocess.Popen(args, stdout=f, stderr=f, env=env)
    children.append(child)
    return child


def stop(child, how=signal.SIGTERM):
    if child.poll() is None:
        child.send_signal(how)
        try:
            child.wait(40)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    children.remove(child)


class Tailwater:
    name = "tailwater"

    def start(self, application, events, lists, guarantee, state="", **more):
        config = configure(application, events, lists, guarantee, **more)
        subprocess.run([T, "topics", "--config", config, "--create"], check=True, stdout=subprocess.DEVNULL)
        state = os.path.join(DIR, application + state)
        return start([T, "run", "--config", config, "--state", state], os.path.join(DIR, application + ".log"))

    def restored(self, application):
        """(rows, seconds) of each restore in its log."""
        with open(os.path.join(DIR, application + ".log")) as f:
            return [(int(r), float(s)) for r, s in re.findall(r"event=restored task=\d+ rows=(\d+) seconds=([\d.]+)", f.read())]


class Streams:
    name = "kafka_streams"

    def start(self, application, events, lists, guarantee, state="", **_):
        path = f"{PEER}/peer.jar:{PEER}/dependency/*"
        args = ["java", "-Xmx2g", "-cp", path, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "tailwater.bench.Peer",
                BOOTSTRAP, application, os.path.join(DIR, application + state), events, lists, GUARANTEES[guarantee]]
        return start(args, os.path.join(DIR, application + ".log"))

    def restored(self, application):
        with open(os.path.join(DIR, application + ".log")) as f:
            return [(int(r), float(s)) for r, s in re.findall(r"restored store=users partition=\d+ rows=(\d+) seconds=([\d.]+)", f.read())]


class Python:
    name = "python"
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../peers/python/pipeline.py")

    def start(self, application, events, lists, guarantee, state="", **_):
        env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        return start([sys.executable, self.program, BOOTSTRAP, application, os.path.join(DIR, application + state), events, lists],
                     os.path.join(DIR, application + ".log"), env)

    def restored(self, application):
        return []


SIDES = {side.name: side for side in (Tailwater(), Streams(), Python())}


def alive(child, application):
    if child.poll() is not None:
        with open(os.path.join(DIR, application + ".log")) as f:
            raise SystemExit(f"{application} ended by itself: {f.read()[-2000:]}")


def cpu_seconds(child):
    with open(f"/proc/{child.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_quiet(child, application, topic):
    last, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_S or last <= 0:
        alive(child, application)
        time.sleep(0.5)
        size = size_of(topic)
        if size != last:
            last, since = size, time.monotonic()


def throughput(side, guarantee, events):
    application = f"{side.name}-{next(names)}"
    lists = f"{application}-lists"
    make_topic(lists, message_timestamp_type="LogAppendTime")
    child = side.start(application, events, lists, guarantee)
    wait_until_quiet(child, application, lists)
    cpu = cpu_seconds(child)
    stop(child)
    t = bench("times", BOOTSTRAP, lists)
    t["rate"] = t["steady_events"] / t["steady_seconds"]
    t["cpu_s_per_million"] = cpu * 1e6 / t["events"]
    say(f"  {application} {guarantee}: {t['rate']:,.0f} events/s, {t['lists']} lists, {t['cpu_s_per_million']:.1f} CPU s a million")
    drop_topics(application)
    shutil.rmtree(os.path.join(DIR, application), ignore_errors=True)
    return t


def feeder_config(topic):
    return configure(f"feed-{topic}", topic, "none", "at_least_once", **{"state.changelog": "false"})


def feed_live(topic, rate, a):
    config = feeder_config(topic)
    with open(config, "a") as f:
        f.write("  linger.ms: 1\n")  # of the kafka map, which stands last; without any each event is a request, which is the broker's end
    args = [T, "feed", "--config", config, "--rate", str(rate), "--users", str(a.live_users), "--items", str(a.items)]
    return start(args, os.path.join(DIR, "feed.log"))


def live(side, guarantee, rate, a, seconds, during=None):
    """A side under load, from a topic of its own. What the reader found; `during` may start and stop others meanwhile."""
    application = f"{side.name}-{next(names)}"
    events, lists = f"{application}-events", f"{application}-lists"
    make_topic(events)
    make_topic(lists)
    child = side.start(application, events, lists, guarantee)
    time.sleep(4)
    feeder = feed_live(events, rate, a)
    time.sleep(a.warm_s)
    reader = subprocess.Popen([BENCH, "follow", BOOTSTRAP, lists, events, str(seconds)], stdout=subprocess.PIPE, text=True)
    if during:
        during(application, events, lists)
    out, _ = reader.communicate()
    stop(feeder)
    alive(child, application)
    stop(child)
    if reader.returncode:
        raise SystemExit(f"no lists came of {application}")
    found = json.loads(out)
    say(f"  {application} {guarantee} at {rate}/s: p50 {found['p50_ms']:.1f} p99 {found['p99_ms']:.1f} gap {found['gap_ms']:.0f} ms, "
        f"{found['lists']} lists")
    drop_topics(application)
    shutil.rmtree(os.path.join(DIR, application), ignore_errors=True)
    return found


def rebalance_gap(side, guarantee, a):
    """A second process joins and leaves: the longest time without lists behind one partition."""
    def second(application, events, lists):
        time.sleep(a.move_s / 4)
        child = side.start(application, events, lists, guarantee, state="-second")
        time.sleep(a.move_s / 3)
        stop(child)
    return live(side, guarantee, a.rate, a, a.move_s, second)


def restore_rate(side, events):
    """The state comes back from the changelog alone: users' rows a second, over all partitions."""
    application = f"{side.name}-{next(names)}"
    lists = f"{application}-lists"
    make_topic(lists)
    child = side.start(application, events, lists, "exactly_once")
    wait_until_quiet(child, application, lists)
    stop(child)
    before = len(side.restored(application))
    child = side.start(application, events, lists, "exactly_once", state="-again")
    until = time.monotonic() + 60
    while len(side.restored(application)) < before + PARTITIONS and time.monotonic() < until:
        alive(child, application)
        time.sleep(0.5)
    stop(child)
    restored = side.restored(application)[before:]
    rows, seconds = sum(r for r, _ in restored), sum(s for _, s in restored)
    say(f"  {application}: {rows} rows in {seconds:.2f} s")
    drop_topics(application)
    return rows / seconds if seconds else 0.0


def median(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "runs": len(values), "values": values}


def shown(m, digits=0):
    return f"{m['median']:,.{digits}f} ({m['least']:,.{digits}f}-{m['most']:,.{digits}f})"


def measure(a):
    result = {"events": a.events, "users": a.users, "items": a.items, "partitions": PARTITIONS, "load_average": os.getloadavg()[0]}
    sides = [SIDES[name] for name in a.sides if "peer" not in a.skip or name == "tailwater"]
    make_topic("events")
    say(f"feeding {a.events} events")
    subprocess.run([T, "feed", "--config", feeder_config("events"), "--events", str(a.events), "--users", str(a.users), "--items",
                    str(a.items)], check=True, stdout=subprocess.DEVNULL)
    say("bare poll loop")
    polls = [(lambda p: p["records"] / p["seconds"])(bench("poll", BOOTSTRAP, "events")) for _ in range(5)]
    result["bare_poll"] = median(polls)
    for guarantee in a.guarantees:
        runs = {side.name: [] for side in sides}
        for _ in range(a.runs):  # close together, so that both meet the same machine
            for side in sides:
                runs[side.name].append(throughput(side, guarantee, "events"))
        for name, found in runs.items():
            result[f"{name}.{guarantee}"] = {
                "events_per_s": median([f["rate"] for f in found]), "lists": found[0]["lists"],
                "cpu_s_per_million": median([f["cpu_s_per_million"] for f in found])}
    rates = {"at_rate": lambda _: a.rate}
    if "half" not in a.skip:
        rates["at_half"] = lambda key: int(result[key]["events_per_s"]["median"] / 2)
    for load, rate_of in rates.items() if "latency" not in a.skip else ():
        for guarantee in a.guarantees:
            for side in sides:
                key = f"{side.name}.{guarantee}"
                rate = rate_of(key)
                found = [live(side, guarantee, rate, a, a.live_s) for _ in range(a.runs)]
                result[key][load] = {"rate": rate, "p50_ms": median([f["p50_ms"] for f in found]),
                                     "p99_ms": median([f["p99_ms"] for f in found])}
    for guarantee in a.guarantees if "rebalance" not in a.skip else ():
        for side in sides:
            gaps = [rebalance_gap(side, guarantee, a)["gap_ms"] for _ in range(a.runs)]
            result[f"{side.name}.{guarantee}"]["rebalance_gap_ms"] = median(gaps)
    for side in sides if "restore" not in a.skip else ():
        result[f"{side.name}.restore_rows_per_s"] = median([restore_rate(side, "events") for _ in range(a.runs)])
    ours = result[f"tailwater.{a.guarantees[0]}"]["events_per_s"]["median"]
    result["pipeline.vs_bare_poll"] = ours / result["bare_poll"]["median"]
    for guarantee in a.guarantees if len(sides) > 1 else ():
        rate = {side.name: result[f"{side.name}.{guarantee}"]["events_per_s"]["median"] for side in sides}
        for side in sides[1:]:
            result[f"pipeline.vs_{side.name}.{guarantee}"] = rate["tailwater"] / rate[side.name]
    result["load_average_after"] = os.getloadavg()[0]
    return result


def table(result, a):
    print(f"{result['events']:,} events of {result['users']:,} users and {result['items']:,} items, {PARTITIONS} partitions; medians of "
          f"{a.runs} runs (least-most); load average {result['load_average']:.1f} before, {result['load_average_after']:.1f} after")
    print(f"bare poll loop: {shown(result['bare_poll'])} records/s; tailwater {a.guarantees[0]} / bare poll: {result['pipeline.vs_bare_poll']:.3f}")
    rows = [("events/s", lambda r: shown(r["events_per_s"])), ("lists", lambda r: f"{r['lists']:,}"),
            ("CPU s a million", lambda r: shown(r["cpu_s_per_million"], 1))]
    for load, name in (("at_rate", f"list after event at {a.rate:,}/s"), ("at_half", "list after event at half rate")):
        rows += [(f"{name}, p{q} ms", lambda r, load=load, q=q: shown(r[load][f"p{q}_ms"], 1)) for q in (50, 99)]
    rows.append(("rebalance gap, ms", lambda r: shown(r["rebalance_gap_ms"])))
    for guarantee in a.guarantees:
        print(f"\n{guarantee:40}" + "".join(f" {side:>34}" for side in a.sides))
        for name, show in rows:
            cells = []
            for side in a.sides:
                try:
                    cells.append(show(result[f"{side}.{guarantee}"]))
                except KeyError:
                    cells.append("-")
            print(f"{name:40}" + "".join(f" {cell:>34}" for cell in cells))
        for side in a.sides[1:]:
            if f"pipeline.vs_{side}.{guarantee}" in result:
                print(f"{f'events/s, beside {side}':40} {result[f'pipeline.vs_{side}.{guarantee}']:>34.1f}")
    for side in a.sides:
        if f"{side}.restore_rows_per_s" in result:
            print(f"restore from the changelog, {side}: {shown(result[f'{side}.restore_rows_per_s'])} users' rows/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], prog="tests/bench/kafka/run.sh")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--events", type=int, default=1000000, help="in the prefilled topic")
    parser.add_argument("--users", type=int, default=100000)
    parser.add_argument("--items", type=int, default=14000)
    parser.add_argument("--runs", type=int, default=3, help="of each figure")
    parser.add_argument("--rate", type=int, default=7000, help="events/s of the latency and the rebalances")
    parser.add_argument("--live-users", type=int, default=5000, help="under load: so few that their first lists are out when watching begins")
    parser.add_argument("--live-s", type=float, default=15, help="how long latencies are watched")
    parser.add_argument("--move-s", type=float, default=30, help="the same while a second process joins (at a quarter) and leaves (7 twelfths)")
    parser.add_argument("--warm-s", type=float, default=10, help="load before that")
    parser.add_argument("--guarantees", nargs="+", default=list(GUARANTEES), choices=list(GUARANTEES))
    parser.add_argument("--sides", nargs="+", default=["tailwater", "kafka_streams"], choices=list(SIDES), help="tailwater first; python "
                        "has no transactions, so at_least_once alone, and no restore")
    parser.add_argument("--skip", nargs="*", default=[], choices=["peer", "latency", "half", "rebalance", "restore"])
    a = parser.parse_args()
    try:
        result = measure(a)
    finally:
        for child in list(children):
            stop(child)
    print(json.dumps(result, indent=2)) if a.json else table(result, a)


main()
