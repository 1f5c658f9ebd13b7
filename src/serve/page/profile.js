// Who a user is, as the profile and the past tell it: what comes next by category beside the interests over short and long, in figures and as
// bars, how that has moved while the page looks on, and what the user met newest.

import { h } from "./dom.js";
import { ago, count, moment, share } from "./format.js";
import { Mix } from "./trends.js";

const CATEGORIES = 8;
const SEGMENTS = { sleeping: "asleep for 30 days or more", new: "new", loyal: "loyal", active: "active" };

function facts(profile, now) {
  const { activity, price, changed } = profile;
  const rows = [["Segment", SEGMENTS[profile.segment] ?? profile.segment], ["Events", `${count(activity.events)}, ${activity.events_per_day.toFixed(1)} a day`],
    ["Last seen", ago(Math.max(0, now - activity.last_seen_ms))]];
  if (price) rows.push(["Typical price", `${price.typical.toFixed(2)} (${price.band})`]);
  if (typeof profile.propensity === "number") rows.push(["Will buy", share(profile.propensity, 1)]);
  if (changed?.categories.length) rows.push(["Since the last one", changed.categories.slice(0, 2).map((c) => `${c.category} ${share(c.from, 1)} → ${share(c.to, 1)}`).join(", ")]);
  return h("dl", { class: "who-facts" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

const shareOf = (shares, category) => shares.find((s) => s.category === category)?.share ?? 0;

// A bar for what comes next, a mark where the long interest stands and a dot where the short one does.
function bars(profile) {
  const shown = profile.categories.slice(0, CATEGORIES);
  const most = Math.max(...shown.map((c) => Math.max(c.share, shareOf(profile.interests_long, c.category), shareOf(profile.interests_short, c.category))), 0.01);
  const at = (value) => `${((100 * value) / most).toFixed(1)}%`;
  return h("ol", { class: "tastes" }, shown.map((c) => {
    const long = shareOf(profile.interests_long, c.category), short = shareOf(profile.interests_short, c.category);
    const bar = h("span", { class: "next" }), marks = [[long, "long"], [short, "short"]].map(([value, name]) => ({ value, node: h("i", { class: name }) }));
    bar.style.width = at(c.share);
    for (const mark of marks) mark.node.style.left = at(mark.value);
    return h("li", {}, h("span", { class: "name" }, c.category), h("div", { class: "taste", "aria-hidden": "true" }, bar, marks.map((m) => m.node)),
      h("span", { class: "number" }, share(c.share, 1)), h("span", { class: "unseen" }, `; lately ${share(short, 1)}, over long ${share(long, 1)}`));
  }));
}

function pastRow(event, now) {
  const words = [event.bought ? "bought" : null, event.disliked ? "disliked" : null, event.times > 1 ? `${event.times} times` : null, moment(event.met_ms, now)];
  return h("li", {}, h("span", { class: "title" }, event.title || event.item_id), h("span", { class: "aside" }, words.filter(Boolean).join(", ")));
}

export class ProfileView {
  constructor() {
    this.box = h("div", { class: "profile" });
    this.seen = []; // the profiles that this page has seen of the user, oldest first
  }

  // Either may be null: it is not kept.
  set(profile, past, now) {
    const parts = [];
    if (profile?.categories.length) {
      this.remember(profile, now);
      parts.push(h("h4", {}, "What comes next, by category"), bars(profile),
        h("p", { class: "chips" }, h("span", {}, h("i", { class: "swatch next", "aria-hidden": "true" }), "next item"), h("span", {}, h("i", { class: "swatch short", "aria-hidden": "true" }), "lately"), h("span", {}, h("i", { class: "swatch long", "aria-hidden": "true" }), "over long")));
    }
    if (profile) parts.push(facts(profile, now));
    if (past?.events.length) parts.push(h("h4", {}, "Met newest"), h("ol", { class: "past" }, past.events.slice(0, 6).map((event) => pastRow(event, now))));
    this.box.replaceChildren(...parts);
    if (this.seen.length > 2) this.drawSeen();
  }

  remember(profile, now) {
    if (this.seen.at(-1)?.at_ms >= now) return;
    this.seen.push({ at_ms: now, shares: profile.categories });
    if (this.seen.length > 120) this.seen.shift();
  }

  drawSeen() {
    if (!this.chart) {
      this.chartBox = h("div", { class: "chart small" });
      this.chart = new Mix(this.chartBox);
      this.chart.root.removeAttribute("tabindex"); // what it shows stands in the bars; it comes and goes
    }
    const names = [...new Set(this.seen.flatMap((p) => p.shares.map((s) => s.category)))];
    this.box.querySelector(".who-facts").before(h("h4", {}, "Since you look"), this.chartBox);
    this.chart.set(names, this.seen.map((p) => ({ at_ms: p.at_ms, counts: names.map((name) => shareOf(p.shares, name)) })));
  }
}
