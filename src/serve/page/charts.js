// What the charts share, and the two of single seconds, drawn by hand as SVG in CSS pixels: crisp at any density, coloured by the style sheet. Each is redrawn
// whole when its data or its width changes: a few hundred points once a second.

import { announce, h, svg } from "./dom.js";
import { count, duration, rate, timeOfDay } from "./format.js";

// Steps for an axis from 0 to at least top: 1, 2 or 5 times a power of ten, about `wanted` of them.
function niceSteps(top, wanted) {
  const rough = Math.max(top, 1) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  return { step, top: Math.max(1, Math.ceil(Math.max(top, 1) / step)) * step };
}

// A chart's frame: keeps an <svg> as large as its box, and calls draw() when that changes.
export class Frame {
  constructor(box, label) {
    this.box = box;
    this.root = svg("svg", { role: "img", "aria-label": label });
    this.note = h("p", { class: "empty", hidden: true });
    box.append(this.root, this.note);
    new ResizeObserver(() => this.resize()).observe(box);
  }

  resize() {
    const { width, height } = this.box.getBoundingClientRect();
    if (width === this.width && height === this.height) return;
    Object.assign(this, { width, height });
    this.root.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.draw();
  }

  // Nothing to draw: says why instead.
  say(text) {
    this.note.hidden = !text;
    if (this.note.textContent !== text) this.note.textContent = text;
  }
}

const NAMES = ["Applied", "Duplicate", "Late", "Dead letter", "Lists"];
const SPANS_MS = [60000, 120000, 300000];
const total = (p) => p[1] + p[2] + p[3] + p[4];

// Events a second over the last minutes. A point is [at_ms, applied, duplicate, late, dead, lists]; nulls are a gap.
export class Throughput extends Frame {
  constructor(box) {
    super(box, "Events per second: no data yet");
    this.points = [];
    this.tip = h("div", { class: "tip", hidden: true });
    box.append(this.tip);
    this.root.setAttribute("tabindex", "0");
    this.root.addEventListener("pointermove", (event) => this.point(this.timeAt(event)));
    this.root.addEventListener("pointerdown", (event) => this.point(this.timeAt(event)));
    this.root.addEventListener("pointerleave", () => this.point(null));
    this.root.addEventListener("blur", () => this.point(null));
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  set(points, now) {
    this.points = points.filter((p) => p[0] > now - SPANS_MS.at(-1));
    this.now = now;
    const age = this.points.length ? now - this.points[0][0] : 0;
    this.span = SPANS_MS.find((s) => age <= s + 2000) ?? SPANS_MS.at(-1);
    this.draw();
  }

  draw() {
    if (!this.width || !this.now) return;
    const { width, height, points, now } = this;
    const left = 44, right = 8, top = 10, bottom = 24;
    const known = points.filter((p) => p[1] !== null);
    const most = known.reduce((max, p) => Math.max(max, total(p)), 0);
    const axis = niceSteps(most * 1.05, 4);
    const x = (ms) => left + ((ms - (now - this.span)) / this.span) * (width - left - right);
    const y = (value) => top + (1 - value / axis.top) * (height - top - bottom);
    this.scale = { x, left, right };
    this.say(!known.length ? "Waiting for the first figures." : most === 0 ? "No events in this time." : "");

    const parts = [];
    for (let value = 0; value <= (most && axis.top * 1.001); value += axis.step) {
      const at = Math.round(y(value));
      parts.push(svg("line", { class: "grid", x1: left, x2: width - right, y1: at, y2: at }));
      parts.push(svg("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, shortCount(value)));
    }
    const steps = this.span / 60000 > 2 ? 5 : this.span / 60000 > 1 ? 4 : 3;
    for (let i = 0; i <= steps; i++) {
      const back = (this.span * (steps - i)) / steps;
      const label = back === 0 ? "now" : back % 60000 === 0 ? `−${back / 60000} min` : `−${back / 1000} s`;
      const anchor = i === 0 ? "start" : i === steps ? "end" : "middle";
      parts.push(svg("text", { x: x(now - back), y: height - 4, "text-anchor": anchor }, label));
    }

    let line = "", area = "", start = null, before = null;
    const close = () => { if (start !== null) area += `L${before},${y(0)}L${start},${y(0)}Z`; start = null; };
    for (const p of points) {
      if (p[1] === null) { close(); continue; }
      const px = Math.max(left, x(p[0])).toFixed(1), py = y(total(p)).toFixed(1);
      line += `${start === null ? "M" : "L"}${px},${py}`;
      area += `${start === null ? "M" : "L"}${px},${py}`;
      if (start === null) start = px;
      before = px;
    }
    close();
    parts.push(svg("path", { class: "area", d: area }), svg("path", { class: "line", d: line }));
    const last = points.at(-1);
    if (last && last[1] !== null) parts.push(svg("circle", { class: "point", cx: x(last[0]), cy: y(total(last)), r: 4 }));

    const shown = this.pointed === null || this.pointed === undefined ? null : nearest(points, this.pointed);
    if (shown) {
      const at = Math.round(x(shown[0]));
      parts.push(svg("line", { class: "cross", x1: at, x2: at, y1: top, y2: height - bottom }));
      if (shown[1] !== null) parts.push(svg("circle", { class: "point", cx: at, cy: y(total(shown)), r: 4 }));
    }
    this.root.replaceChildren(...parts);
    this.showTip(shown);
    if (known.length)
      this.root.setAttribute("aria-label", `Events per second, ${this.spanWords}: now ${rate(total(known.at(-1)))}, at most ${rate(most)}. Arrow keys read single seconds.`);
  }

  get spanWords() {
    return this.span === 60000 ? "last minute" : `last ${this.span / 60000} minutes`;
  }

  showTip(shown) {
    this.tip.hidden = !shown;
    if (!shown) return;
    const rows = shown[1] === null
      ? [h("span", {}, "The engine did not answer")]
      : NAMES.map((name, i) => h("span", {}, name, h("em", {}, rate(shown[i + 1]))));
    const title = shown[1] === null ? timeOfDay(shown[0]) : `${timeOfDay(shown[0])} · ${rate(total(shown))} events/s`;
    this.tip.replaceChildren(h("b", {}, title), ...rows);
    const at = this.scale.x(shown[0]), half = this.width / 2;
    this.tip.style.left = at < half ? `${at + 12}px` : "auto";
    this.tip.style.right = at < half ? "auto" : `${this.width - at + 12}px`;
  }

  timeAt(event) {
    const { left, right } = this.scale ?? { left: 0, right: 0 };
    const across = (event.clientX - this.root.getBoundingClientRect().left - left) / (this.width - left - right);
    return this.now - this.span + Math.min(1, Math.max(0, across)) * this.span;
  }

  // Holds the crosshair at a time, or lets it go.
  point(ms) {
    this.pointed = ms;
    this.draw();
  }

  key(event) {
    if (event.key === "Escape") return this.point(null);
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e6, End: 1e6 }[event.key];
    if (!step || !this.points.length) return;
    event.preventDefault();
    const here = this.pointed ? this.points.indexOf(nearest(this.points, this.pointed)) : this.points.length;
    const next = Math.min(this.points.length - 1, Math.max(0, here + step));
    const p = this.points[next];
    this.point(p[0]);
    announce(p[1] === null ? `${timeOfDay(p[0])}: no answer` : `${timeOfDay(p[0])}: ${rate(total(p))} events per second`);
  }
}

function nearest(points, ms) {
  return points.reduce((best, p) => (!best || Math.abs(p[0] - ms) < Math.abs(best[0] - ms) ? p : best), null);
}

const shortCount = (n) => (n >= 1e6 ? `${+(n / 1e6).toFixed(1)}M` : n >= 1e3 ? `${+(n / 1e3).toFixed(1)}k` : `${+n.toFixed(1)}`);

const DECADES_MS = [[1, "1 ms"], [10, "10 ms"], [100, "0.1 s"], [1000, "1 s"], [10000, "10 s"], [60000, "1 min"], [600000, "10 min"],
  [3600000, "1 h"], [36000000, "10 h"], [86400000, "1 day"], [864000000, "10 days"], [8640000000, "100 days"], [31536000000, "1 yr"], [315360000000, "10 yr"]];

// How old a user's newest event was when the list that knows it was made: a histogram on a logarithmic axis. Each bucket
// reaches twice as far as the one before it.
export class Freshness extends Frame {
  constructor(box) {
    super(box, "From event to list: no data yet");
  }

  set(freshness) {
    this.data = freshness;
    this.draw();
  }

  draw() {
    if (!this.width || !this.data) return;
    const { width, height } = this;
    const { buckets, count: all } = this.data;
    const left = 4, right = 4, top = 36, bottom = 24;
    this.say(all ? "" : "No list was made in the last minute.");
    if (!all) {
      this.root.replaceChildren();
      this.root.setAttribute("aria-label", "From event to list: no list was made in the last minute");
      return;
    }
    // The axis holds still: from 16 ms to 33 s, and further only when there is something.
    const log = Math.log2;
    const low = Math.min(4, ...buckets.map((b) => Math.floor(log(b.upto_ms)) - 1));
    const high = Math.max(15, ...buckets.map((b) => Math.ceil(log(b.upto_ms))));
    const x = (ms) => left + ((Math.min(high, Math.max(low, log(ms))) - low) / (high - low)) * (width - left - right);
    const most = Math.max(...buckets.map((b) => b.count));
    const y = (n) => top + (1 - n / most) * (height - top - bottom);
    const floor = height - bottom;
    const parts = [svg("line", { class: "grid", x1: left, x2: width - right, y1: floor, y2: floor })];
    let free = -Infinity;
    for (const [ms, label] of DECADES_MS) {
      if (log(ms) < low || log(ms) > high || x(ms) - free < 52) continue;
      free = x(ms);
      parts.push(svg("line", { class: "grid", x1: Math.round(x(ms)), x2: Math.round(x(ms)), y1: floor, y2: floor + 4 }));
      parts.push(svg("text", { x: Math.max(16, Math.min(width - 16, x(ms))), y: height - 4, "text-anchor": "middle" }, label));
    }
    for (const b of buckets) {
      const from = x(b.upto_ms / 2) + 1.5, to = x(b.upto_ms) - 1.5, up = Math.min(y(b.count), floor - 2);
      const r = Math.min(4, floor - up, (to - from) / 2);
      parts.push(svg("path", { class: "bar", d: `M${from},${floor}V${up + r}Q${from},${up} ${from + r},${up}H${to - r}Q${to},${up} ${to},${up + r}V${floor}Z` },
        svg("title", {}, `up to ${duration(b.upto_ms)}: ${count(b.count)} lists`)));
    }
    const marks = [["median", this.data.p50_ms], ["p99", this.data.p99_ms]];
    marks.forEach(([name, ms], i) => {
      const at = x(ms), atEnd = at > width - 90;
      parts.push(svg("line", { class: "mark", x1: at, x2: at, y1: 6 + 14 * i, y2: floor }));
      parts.push(svg("text", { class: "mark-label", x: at + (atEnd ? -6 : 6), y: 14 + 14 * i, "text-anchor": atEnd ? "end" : "start" }, `${name} ${duration(ms)}`));
    });
    this.root.replaceChildren(...parts);
    this.root.setAttribute("aria-label", `From event to list, last minute, ${count(all)} lists: median ${duration(this.data.p50_ms)}, ninety percent within ${duration(this.data.p90_ms)}, ninety-nine percent within ${duration(this.data.p99_ms)}.`);
  }
}
