"""Asks a Prometheus on loopback, again and again until it answers as wanted or the time is over.

    ask.py dashboard URL FILE     each query of a Grafana dashboard gives at least one number
    ask.py alert URL NAME STATE   the alert is firing, or inactive: neither firing nor pending

Variables of the dashboard are replaced as Grafana would with all instances and short intervals."""
import json
import math
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

SECONDS_MAX = 90  # on a machine that does much else; takes a few seconds
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url, path, **parameters):
    if parameters:
        path += "?" + urllib.parse.urlencode(parameters)
    try:
        with opener.open(url + path, timeout=10) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as e:  # a query that is not understood
        return {"error": json.load(e).get("error"), "result": [], "alerts": []}
    except OSError:  # not there yet
        return {"result": [], "alerts": []}


def queries(path):
    with open(path) as f:
        dashboard = json.load(f)
    found = [t["expr"] for p in dashboard["panels"] for t in p.get("targets", [])]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found.append(re.fullmatch(r"label_values\((.*), \w+\)", variable["query"]["query"]).group(1))
    return [q.replace("$__rate_interval", "10s").replace("$instance", ".*") for q in found]


def dashboard(url, path):
    left = queries(path)
    count = len(left)
    until = time.monotonic() + SECONDS_MAX
    while left and time.monotonic() < until:
        answers = [(q, ask(url, "/api/v1/query", query=q)) for q in left]
        left = [q for q, a in answers if not any(math.isfinite(float(r["value"][1])) for r in a["result"])]
        time.sleep(0.5 if left else 0)
    for q in left:
        print("no data:", q, ask(url, "/api/v1/query", query=q))
    print(f"{count - len(left)} of {count} queries have data")
    return count > 0 and not left


def alert(url, name, wanted):
    until = time.monotonic() + SECONDS_MAX
    states = None
    while time.monotonic() < until:
        states = [a["state"] for a in ask(url, "/api/v1/alerts")["alerts"] if a["labels"]["alertname"] == name]
        if wanted in states if wanted == "firing" else not states:
            return True
        time.sleep(0.2)
    print(f"{name}: {states}, wanted {wanted}")
    return False


if __name__ == "__main__":
    sys.exit(0 if {"dashboard": dashboard, "alert": alert}[sys.argv[1]](*sys.argv[2:]) else 1)
