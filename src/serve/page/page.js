// The live page: what comes from live.js goes to the tiles, charts, tables and lists. One second, one picture.

import { Freshness, Throughput } from "./charts.js";
import { byId, h, setText } from "./dom.js";
import { bytes, count, duration, durationParts, moment, rate, share, span, timeOfDay, words } from "./format.js";
import { Feed, Lookup } from "./lists.js";
import { Live } from "./live.js";
import { Hits, Mix } from "./trends.js";

const HISTORY_MAX = 300;
const VERDICTS = [["applied", "Applied"], ["duplicate", "Duplicate"], ["late", "Too late"], ["dead_lettered", "Dead letter"]];

const throughput = new Throughput(byId("throughput"));
const freshness = new Freshness(byId("freshness"));
const mix = new Mix(byId("mix"));
const hits = new Hits(byId("hits"));
const feed = new Feed(byId("newest"), byId("newest-note"));
const lookup = new Lookup(byId("search"), byId("user-id"), byId("result"));

let points = []; // the chart's: [at_ms, applied, duplicate, late, dead_lettered, lists]
let latest = null;
let lastRates = null; // bridges a missed answer
let paused = false;
let heardAt = 0;
let meanings = {}; // of the dead letters' reasons

// ---- the state of the connection ----

const STATES = {
  connecting: "Connecting",
  live: "Live",
  polling: "Live, asked every 2 s",
  lost: "Disconnected, trying again",
  silent: "Engine does not answer",
  catching: "Catching up",
  paused: "Paused",
};

function setState(state) {
  const shown = paused ? "paused" : state;
  byId("status").dataset.state = shown;
  setText(byId("status-text"), STATES[shown]);
  document.body.classList.toggle("stale", shown === "lost" || shown === "silent");
}

function setNotice(text) {
  byId("notice").hidden = !text;
  if (text) setText(byId("notice"), text);
}

// ---- figures ----

function figure(id, number, unit) {
  const node = byId(id);
  if (node.dataset.shown === `${number} ${unit}`) return;
  node.dataset.shown = `${number} ${unit}`;
  node.replaceChildren(number, unit ? h("small", {}, unit) : "");
}

function showTiles(stats) {
  const { rates, totals, freshness: fresh, state } = stats;
  figure("events-rate", rates ? rate(rates.consumed) : "–", "");
  setText(byId("events-total"), `${count(totals.consumed)} in all${state.lag === null ? "" : `, ${count(state.lag)} behind`}`);
  figure("fresh-p50", ...(fresh.count ? durationParts(fresh.p50_ms) : ["–", ""]));
  setText(byId("fresh-tail"), fresh.count ? `median; 99% within ${duration(fresh.p99_ms)}` : "no list in the last minute");
  figure("lists-rate", rates ? rate(rates.lists) : "–", "");
  setText(byId("lists-total"), `${count(totals.lists)} in all, ${count(state.users_owed)} waiting`);
  figure("users", count(state.users), "");
  setText(byId("items"), `${count(state.items)} items`);
}

const verdictRows = VERDICTS.map(([key, name]) => {
  const cells = [0, 1, 2].map(() => h("td", { class: "number" }));
  byId("verdicts").append(h("tr", {}, h("th", { scope: "row" }, h("i", { class: `swatch of-${key}`, "aria-hidden": "true" }), name), cells));
  const piece = h("span", { class: `of-${key}`, hidden: true });
  byId("verdicts-bar").append(piece);
  return { key, cells, piece };
});

function showVerdicts({ verdicts, rates, totals }) {
  setText(byId("consumed"), `${count(totals.consumed)} records`);
  for (const { key, cells, piece } of verdictRows) {
    setText(cells[0], count(verdicts[key]));
    setText(cells[1], share(verdicts[key], totals.consumed));
    setText(cells[2], rates ? rate(rates[key]) : "–");
    piece.hidden = !verdicts[key];
    piece.style.width = `${(100 * verdicts[key]) / (totals.consumed || 1)}%`;
  }
}

const reasonRows = new Map();

function showReasons({ reasons, verdicts, totals }) {
  const met = Object.entries(reasons).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  const box = byId("reasons");
  setText(byId("dead-total"), met.length ? count(verdicts.dead_lettered) : "");
  if (!met.length) {
    box.replaceChildren(h("p", { class: "empty" }, totals.consumed ? "None: every record so far could be read and used." : "None so far."));
    return;
  }
  for (const [name, n] of met) {
    let row = reasonRows.get(name);
    if (!row) {
      row = { number: h("span", {}), bar: h("span", {}) };
      row.node = h("div", { class: "reason" },
        h("div", {}, h("p", {}, words(name)), meanings[name] ? h("p", { class: "aside" }, meanings[name]) : null),
        h("div", { class: "track", "aria-hidden": "true" }, row.bar), row.number);
      reasonRows.set(name, row);
    }
    setText(row.number, count(n));
    row.bar.style.width = `${(100 * n) / met[0][1]}%`;
  }
  const nodes = met.map(([name]) => reasonRows.get(name).node);
  if (nodes.some((node, i) => box.children[i] !== node) || box.children.length !== nodes.length) box.replaceChildren(...nodes);
}

function showFacts({ version, uptime_ms, now_ms, state, store }) {
  const facts = [["Version", version], ["Up", span(uptime_ms)]];
  if (state.watermark_ms !== null) facts.push(["Event time", moment(state.watermark_ms, now_ms)]);
  facts.push(["Store", store ? `${bytes(store.used_bytes)} of ${bytes(store.max_bytes)}, journal ${bytes(store.journal_bytes)}, ${count(store.commits)} commits` : "none: nothing is kept"]);
  byId("facts").replaceChildren(...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

// ---- putting it together ----

// One missed answer is no news; the engine may be in the middle of a commit.
const isSilent = (stats) => !stats.answering && stats.silent_ms > 2500;

function noticeOf(stats) {
  if (isSilent(stats)) return `The engine has not answered for ${span(stats.silent_ms)}. The counters are those of its last answer.`;
  if (!stats.ready) return "Catching up with what the topics held at the start. Lists follow when that is done.";
  return "";
}

function show(state, stats) {
  if (stats.rates) lastRates = stats.rates;
  else if (!isSilent(stats)) stats.rates = lastRates;
  setState(isSilent(stats) ? "silent" : !stats.ready ? "catching" : state);
  setNotice(noticeOf(stats));
  showTiles(stats);
  showVerdicts(stats);
  showReasons(stats);
  showFacts(stats);
  throughput.set(points, stats.now_ms);
  setText(byId("throughput-span"), throughput.spanWords);
  freshness.set(stats.freshness);
  feed.set(stats.newest, stats.now_ms, stats.ready ? null : "No list yet: they begin when the engine has caught up.");
}

// ---- what changes over minutes ----

let trendsAt = -Infinity, trendsStep = 5000;

// Once a step, as long as figures come in.
async function followTrends() {
  const now = performance.now();
  if (now - trendsAt < trendsStep) return;
  trendsAt = now;
  try {
    const answer = await fetch("api/v1/trends");
    if (!answer.ok) return;
    const { scorers, categories, step_ms, points: steps } = await answer.json();
    trendsStep = step_ms;
    if (paused) return;
    mix.set(categories, steps);
    hits.set(scorers, steps);
    byId("hits-key").replaceChildren(...hits.chips());
    lookup.profiles = categories.length > 0;
    lookup.refresh();
  } catch {
    // asked again in the next step
  }
}

function addPoint({ now_ms, rates, answering }) {
  const before = points.at(-1);
  if (before && now_ms <= before[0]) return; // the history had it already
  if (rates) points.push([now_ms, rates.applied, rates.duplicate, rates.late, rates.dead_lettered, rates.lists]);
  else if (!answering) points.push([now_ms, null, null, null, null, null]);
  if (points.length > HISTORY_MAX) points = points.slice(-HISTORY_MAX);
}

function hear(state, data) {
  if (state === "history") {
    points = data.points;
    if (latest && !paused) throughput.set(points, Math.max(latest.now_ms, points.at(-1)?.[0] ?? 0));
    return;
  }
  if (!data) {
    setState(latest || state === "lost" ? state : "connecting");
    if (state === "lost") setNotice(heardAt ? `No word from the server since ${timeOfDay(heardAt)}. This page goes on by itself when it is back.` : "The server cannot be reached. This page goes on by itself when it is back.");
    else setNotice(latest ? "The engine does not answer. The figures are those of its last answer." : "The engine does not answer yet.");
    return;
  }
  latest = data;
  heardAt = Date.now();
  addPoint(data);
  if (data.answering && !paused) followTrends();
  if (!paused) show(state, data);
}

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", paused);
  setText(byId("pause"), paused ? "Resume" : "Pause");
  if (!paused && latest) show("live", latest);
  else setState("paused");
});

fetch("api/v1/reasons").then((answer) => answer.json()).then((known) => { meanings = known; reasonRows.clear(); if (latest) showReasons(latest); }).catch(() => {});
new Live(hear);
