// What changes over minutes, as the server's trends tell it: the mix of categories as a stream graph, and how often what came next was among
// the best ten, by scorer. Both are redrawn whole when they are told more.

import { announce, h, svg } from "./dom.js";
import { share, timeOfDay } from "./format.js";
import { Frame } from "./charts.js";

const STREAMS_MAX = 7; // told apart; the rest are one
const LEFT = 36, RIGHT = 8, TOP = 10, BOTTOM = 24;

// Steps looked at as one: a bar of five seconds jumps, a mean over half a minute tells.
const SMOOTH = 6;

// A chart over the steps of the trends: a crosshair that pointer and arrow keys move, and a tip with the values there.
class Timeline extends Frame {
  constructor(box, label) {
    super(box, label);
    this.points = [];
    this.at = null;
    this.tip = h("div", { class: "tip", hidden: true });
    box.append(this.tip);
    this.root.setAttribute("tabindex", "0");
    const hold = (event) => this.point(this.indexAt(event));
    this.root.addEventListener("pointermove", hold);
    this.root.addEventListener("pointerdown", hold);
    for (const name of ["pointerleave", "blur"]) this.root.addEventListener(name, () => this.point(null));
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  x(i) {
    return LEFT + (this.points.length < 2 ? 1 : i / (this.points.length - 1)) * (this.width - LEFT - RIGHT);
  }

  indexAt(event) {
    const across = (event.clientX - this.root.getBoundingClientRect().left - LEFT) / (this.width - LEFT - RIGHT);
    return Math.round(Math.min(1, Math.max(0, across)) * (this.points.length - 1));
  }

  point(at) {
    this.at = at;
    this.draw();
  }

  key(event) {
    if (event.key === "Escape") return this.point(null);
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12, Home: -1e6, End: 1e6 }[event.key];
    if (!step || !this.points.length) return;
    event.preventDefault();
    this.point(Math.min(this.points.length - 1, Math.max(0, (this.at ?? this.points.length) + step)));
    announce(`${timeOfDay(this.points[this.at].at_ms)}: ${this.rows(this.at).map((row) => `${row.name} ${row.value}`).join(", ")}`);
  }

  timeTexts() {
    const ends = [[0, "start"], [this.points.length - 1, "end"]];
    return ends.map(([i, anchor]) => svg("text", { x: this.x(i), y: this.height - 4, "text-anchor": anchor }, timeOfDay(this.points[i].at_ms)));
  }

  // The crosshair, when somebody points, and what stands there.
  crosshair() {
    const shown = this.at !== null && this.points[this.at];
    this.tip.hidden = !shown;
    if (!shown) return [];
    this.tip.replaceChildren(h("b", {}, timeOfDay(shown.at_ms)),
      ...this.rows(this.at).map((row) => h("span", {}, h("span", { class: "who" }, h("i", { class: `swatch ${row.class}`, "aria-hidden": "true" }), row.name), h("em", {}, row.value))));
    const at = Math.round(this.x(this.at)), left = at < this.width / 2;
    this.tip.style.left = left ? `${at + 12}px` : "auto";
    this.tip.style.right = left ? "auto" : `${this.width - at + 12}px`;
    return [svg("line", { class: "cross", x1: at, x2: at, y1: TOP, y2: this.height - BOTTOM })];
  }
}

// Means over the steps before and at each one.
function smooth(values) {
  return values.map((_, i) => {
    const part = values.slice(Math.max(0, i - SMOOTH + 1), i + 1);
    return part.reduce((sum, v) => sum + v, 0) / part.length;
  });
}

// The shares of the largest categories, the rest as one: [{ name, class, values: share at each point }].
function streamsOf(names, points) {
  const counts = names.map((name, c) => smooth(points.map((p) => p.counts[c] ?? 0)));
  const sums = counts.map((values) => values.reduce((sum, v) => sum + v, 0));
  const order = names.map((_, c) => c).sort((a, b) => sums[b] - sums[a]);
  const all = points.map((_, i) => counts.reduce((sum, values) => sum + values[i], 0));
  const shares = (values) => values.map((v, i) => (all[i] > 0 ? v / all[i] : 0));
  const streams = order.slice(0, STREAMS_MAX).map((c) => ({ name: names[c], key: c, values: shares(counts[c]) }));
  const rest = order.slice(STREAMS_MAX);
  if (rest.length) streams.push({ name: `${rest.length} more`, key: -1, values: shares(points.map((_, i) => rest.reduce((sum, c) => sum + counts[c][i], 0))) });
  return { streams, all };
}

// The mix of categories: streams about a middle line, as thick as their share of the events is. A category keeps its colour.
export class Mix extends Timeline {
  constructor(box) {
    super(box, "Categories of the events: no data yet");
    this.colours = new Map();
  }

  set(names, points) {
    const { streams, all } = streamsOf(names, points);
    const from = all.findIndex((sum) => sum > 0);
    this.points = from < 0 ? [] : points.slice(from);
    const taken = new Set(streams.map((s) => this.colours.get(s.key)));
    for (const s of streams) {
      if (s.key >= 0 && !this.colours.has(s.key)) {
        const free = [1, 2, 3, 4, 5, 6, 7].find((n) => !taken.has(n)) ?? 1 + (this.colours.size % 7);
        this.colours.set(s.key, free);
        taken.add(free);
      }
      s.class = s.key < 0 ? "c0" : `c${this.colours.get(s.key)}`;
      s.values = from < 0 ? [] : s.values.slice(from);
    }
    this.streams = streams;
    this.all = all.slice(Math.max(0, from));
    if (this.at !== null) this.at = Math.min(this.at, this.points.length - 1);
    this.draw();
  }

  rows(i) {
    return this.streams.map((s) => ({ name: s.name, class: s.class, value: share(s.values[i], 1) }));
  }

  draw() {
    if (!this.width || !this.streams) return;
    if (this.points.length < 2) {
      this.root.replaceChildren();
      return this.say(this.streams.length ? "The mix shows after a few seconds." : "Categories show where profile.enabled is on.");
    }
    this.say("");
    const tall = this.height - TOP - BOTTOM, parts = [], labels = [];
    let below = this.points.map((_, i) => TOP + (tall * (1 - this.streams.reduce((sum, s) => sum + s.values[i], 0))) / 2);
    for (const s of this.streams) {
      const lower = below.map((y, i) => y + tall * s.values[i]);
      const edge = (ys) => ys.map((y, i) => `${this.x(i).toFixed(1)},${y.toFixed(1)}`);
      parts.push(svg("path", { class: `stream ${s.class}`, d: `M${edge(below).join("L")}L${edge(lower).reverse().join("L")}Z` }));
      const last = below.length - 1, thick = lower[last] - below[last];
      if (thick > 16) labels.push(svg("text", { class: "name", x: this.width - RIGHT - 8, y: (below[last] + lower[last]) / 2 + 4, "text-anchor": "end" }, s.name));
      below = lower;
    }
    this.root.replaceChildren(...parts, ...labels, ...this.timeTexts(), ...this.crosshair());
    this.root.setAttribute("aria-label", `Categories of the events: now ${this.rows(this.points.length - 1).map((r) => `${r.name} ${r.value}`).join(", ")}. Arrow keys read single steps.`);
  }
}

const SCORERS = { context: "Context", transitions: "What follows", repeat: "Met before", trending: "Trending", popular: "Popular" };

// How often what came next was among the best ten, before learning from it: of the blend and of each scorer alone.
export class Hits extends Timeline {
  constructor(box) {
    super(box, "Hit rate: no data yet");
  }

  set(names, points) {
    const asked = smooth(points.map((p) => p.asked));
    const rates = (values) => smooth(values).map((v, i) => (asked[i] > 0 ? v / asked[i] : null));
    this.points = points;
    this.lines = names.map((name, s) => ({ name: SCORERS[name] ?? name, class: `by-${name}`, values: rates(points.map((p) => p.by[s])) }));
    this.lines.unshift({ name: "Blend", class: "by-blend", values: rates(points.map((p) => p.blend)) });
    if (this.at !== null) this.at = Math.min(this.at, points.length - 1);
    this.draw();
  }

  rows(i) {
    return this.lines.map((line) => ({ name: line.name, class: line.class, value: line.values[i] === null ? "–" : share(line.values[i], 1) }));
  }

  draw() {
    if (!this.width || !this.lines) return;
    const known = this.points.length > 1 && this.lines[0].values.some((v) => v !== null);
    this.say(known ? "" : "The hit rate shows once the blend has learned from some events.");
    if (!known) return this.root.replaceChildren();
    const most = Math.max(0.1, ...this.lines.flatMap((line) => line.values.map((v) => v ?? 0)));
    const top = Math.min(1, Math.ceil(most * 10) / 10), step = top > 0.5 ? 0.2 : top > 0.2 ? 0.1 : 0.05;
    const y = (v) => TOP + (1 - v / top) * (this.height - TOP - BOTTOM);
    const parts = [];
    for (let v = 0; v <= top + 1e-9; v += step) {
      parts.push(svg("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: Math.round(y(v)), y2: Math.round(y(v)) }));
      parts.push(svg("text", { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end" }, `${Math.round(100 * v)}%`));
    }
    for (const line of [...this.lines].reverse()) {
      let d = "", open = false;
      line.values.forEach((v, i) => {
        if (v !== null) d += `${open ? "L" : "M"}${this.x(i).toFixed(1)},${y(v).toFixed(1)}`;
        open = v !== null;
      });
      parts.push(svg("path", { class: `rate ${line.class}`, d }));
    }
    this.root.replaceChildren(...parts, ...this.timeTexts(), ...this.crosshair());
    this.root.setAttribute("aria-label", `Hit rate at ten: now ${this.rows(this.points.length - 1).map((r) => `${r.name} ${r.value}`).join(", ")}. Arrow keys read single steps.`);
  }

  // The key to the lines, with the newest values: a row of chips below the chart.
  chips() {
    const last = this.points.length - 1;
    return (this.lines ?? []).map((line) => h("span", {}, h("i", { class: `swatch ${line.class}`, "aria-hidden": "true" }), `${line.name} ${last < 0 || line.values[last] === null ? "–" : share(line.values[last], 1)}`));
  }
}
