// Lists as people read them: the feed of the newest, and the look-up of one user's list or of items like one.

import { ProfileView } from "./profile.js";
import { announce, byId, h, setText } from "./dom.js";
import { ago, count, duration } from "./format.js";

const titles = new Map(); // by item id, from every list seen; bounded
const TITLES_MAX = 5000;

function learnTitles(items) {
  for (const item of items) {
    if (!item.title) continue;
    if (titles.size >= TITLES_MAX) titles.delete(titles.keys().next().value);
    titles.set(item.item_id, item.title);
  }
}

const nameOf = (id) => titles.get(id) ?? id;

// What a scorer's share of an item means, as half a sentence. The past item that a list names counts for those that look at
// the past; when it is the item itself, it adds nothing.
const WHY = {
  context: (because) => (because ? `goes with ${because}` : "fits recent interest"),
  transitions: (because) => (because ? `often follows ${because}` : "often comes next"),
  repeat: () => "met before",
  trending: () => "trending",
  popular: () => "popular",
  factors: () => "fits this user's taste",
};
const SOURCES = { context: "Context", factors: "Taste", transitions: "What follows", repeat: "Met before", trending: "Trending", popular: "Popular" };

function why(reason, item) {
  const past = reason.because_item && reason.because_item !== item.item_id ? reason.because_title ?? nameOf(reason.because_item) : null;
  return (WHY[reason.source] ?? (() => reason.source))(past);
}

// All reasons of an item, the past item named once.
function whys(item) {
  let named = false;
  return item.reasons.map((reason) => {
    const text = why(named ? { ...reason, because_item: null } : reason, item);
    named ||= Boolean(reason.because_item) && reason.source !== "repeat";
    return `${Math.round(100 * reason.share)}% ${text}`;
  }).join(", ");
}

const openUser = (id) => () => { location.hash = `user=${encodeURIComponent(id)}`; };
const openItem = (id) => () => { location.hash = `item=${encodeURIComponent(id)}`; };

const itemButton = (item) =>
  h("button", { type: "button", class: "link title", onclick: openItem(item.item_id), title: "Show similar items" }, item.title || item.item_id);

// ---- the feed ----

const SHOWN_LISTS = 5;
const SHOWN_ITEMS = 4;
const HOLD_MS = 5000; // what is shown stays at least so long

export class Feed {
  constructor(box, note) {
    this.box = box;
    this.note = note;
    this.changed = -Infinity;
    this.cards = new Map();
    const hold = (on) => () => { this.held = on; setText(this.note, on ? "held while you read" : ""); };
    box.addEventListener("pointerenter", hold(true));
    box.addEventListener("pointerleave", hold(false));
    box.addEventListener("focusin", hold(true));
    box.addEventListener("focusout", hold(false));
  }

  set(lists, now, silent) {
    for (const list of lists) learnTitles(list.items);
    for (const [key, card] of this.cards) setText(card.age, ago(now - card.made));
    if (this.held || performance.now() - this.changed < HOLD_MS) return;
    const newest = lists.slice(0, SHOWN_LISTS);
    if (!newest.length) {
      if (!this.cards.size) this.box.replaceChildren(h("p", { class: "empty" }, silent ?? "No list yet. The first appears a moment after the first event."));
      return;
    }
    const keys = newest.map((list) => `${list.user_id}\n${list.made_ms}`);
    if (keys.every((key) => this.cards.has(key)) && keys.length === this.cards.size) return;
    this.changed = performance.now();
    const kept = this.cards;
    this.cards = new Map(newest.map((list, i) => [keys[i], kept.get(keys[i]) ?? this.make(list, now)]));
    this.box.replaceChildren(...[...this.cards.values()].map((card) => card.node));
  }

  make(list, now) {
    const age = h("time", { class: "aside" }, ago(now - list.made_ms));
    const picks = list.items.slice(0, SHOWN_ITEMS).map((item, i) =>
      h("li", { class: "pick" }, h("span", { class: "rank" }, `${i + 1}`),
        h("div", { class: "line" }, itemButton(item), item.reasons.length ? h("span", { class: "why" }, why(item.reasons[0], item)) : null)));
    const more = list.items.length - SHOWN_ITEMS;
    const node = h("article", { class: "card fresh" },
      h("header", {},
        h("button", { type: "button", class: "link", onclick: openUser(list.user_id), title: "Show the whole list" }, list.user_id),
        h("span", { class: "aside" }, `${duration(list.latency_ms)} after the event · `, age)),
      h("ol", {}, picks));
    if (!list.items.length) node.append(h("p", { class: "aside" }, "Nothing to recommend yet."));
    else if (more > 0) node.setAttribute("aria-label", `List of ${list.user_id}, first ${SHOWN_ITEMS} of ${list.items.length}`);
    return { node, age, made: list.made_ms };
  }
}

// ---- the look-up ----

async function ask(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(8000) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? `the server answered ${answer.status}`);
  return body;
}

// Null where the server says that there is none.
const askMaybe = (path) => ask(path).catch((error) => { if (error instanceof TypeError) throw error; return null; });

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : ".");

function reasonsOf(item) {
  if (!item.reasons.length) return null;
  const bar = h("div", { class: "shares", "aria-hidden": "true" });
  for (const reason of item.reasons) {
    const piece = h("span", { class: `by-${reason.source}` });
    piece.style.width = `${100 * reason.share}%`;
    bar.append(piece);
  }
  return h("div", { class: "because" }, bar, h("p", { class: "why" }, whys(item)));
}

function pickList(items) {
  return h("ol", { class: "full" }, items.map((item, i) =>
    h("li", { class: "pick" }, h("span", { class: "rank" }, `${i + 1}`),
      h("div", {}, h("div", { class: "line" }, itemButton(item), item.category ? h("span", { class: "category" }, item.category.replaceAll("|", ", ")) : null), reasonsOf(item)))));
}

export class Lookup {
  constructor(form, input, result) {
    Object.assign(this, { form, input, result, profiles: false }); // profiles: whether the server keeps them
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const target = `#user=${encodeURIComponent(input.value)}`;
      if (location.hash === target) this.follow();
      else location.hash = target;
    });
    addEventListener("hashchange", () => this.follow(true));
    this.follow();
  }

  // Shows what the address names, so that a view can be linked to and the browser's Back works.
  follow(moved) {
    const match = /^#(user|item)=(.+)$/s.exec(location.hash);
    let id = null;
    try {
      id = match && decodeURIComponent(match[2]);
    } catch {
      // an address that somebody cut off
    }
    if (id === null) return this.rest();
    this.show(match[1], id, moved);
  }

  rest() {
    this.result.replaceChildren(h("p", { class: "empty" }, "Type a user's id, or choose a user or an item among the newest lists: you see the list as it would be made now, and why each item is in it."));
  }

  async show(kind, id, moved) {
    const asked = (this.asked = {});
    this.viewed = null;
    try {
      const path = kind === "user" ? `api/v1/users/${encodeURIComponent(id)}/recommendations?top=10` : `api/v1/items/${encodeURIComponent(id)}/similar?top=10`;
      const body = await ask(path);
      if (this.asked !== asked) return;
      const view = kind === "user" && body.known ? await this.profileOf(id) : null;
      if (this.asked !== asked) return;
      learnTitles(body.items);
      if (kind === "item" && body.title) titles.set(body.item_id, body.title);
      this.put(kind === "user" ? this.userView(body, view) : this.itemView(body));
      this.viewed = view && { id, view };
      announce(`${kind === "user" ? "List of" : "Items similar to"} ${body.title || id}: ${body.items.length}`);
    } catch (error) {
      if (this.asked !== asked) return;
      const text = error.name === "TimeoutError" || error instanceof TypeError ? "The server could not be reached." : sentence(error.message);
      this.put([h("div", { class: "result-head" }, h("h3", { tabindex: -1 }, id)), h("p", { class: "empty" }, text)]);
      announce(text);
    }
    if (kind === "user") this.input.value = id;
    if (moved) byId("lookup").scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  async profileOf(id, view = new ProfileView()) {
    const path = `api/v1/users/${encodeURIComponent(id)}`;
    const [profile, past] = await Promise.all([this.profiles ? askMaybe(`${path}/profile`) : null, askMaybe(`${path}/events?top=6`)]);
    view.set(profile, past, Date.now());
    return view;
  }

  // Profile and past of the user who is shown, as they are now.
  refresh() {
    if (this.viewed) this.profileOf(this.viewed.id, this.viewed.view).catch(() => {});
  }

  // Whoever was inside what is replaced goes on at its heading.
  put(nodes) {
    const inside = this.result.contains(document.activeElement);
    this.result.replaceChildren(...nodes);
    if (inside) this.result.querySelector("h3").focus({ preventScroll: true });
  }

  userView(body, view) {
    const sources = [...new Set(body.items.flatMap((item) => item.reasons.map((reason) => reason.source)))];
    return [
      h("div", { class: "result-head" }, h("h3", { tabindex: -1 }, body.user_id),
        h("p", { class: "aside" }, body.known ? `list version ${count(body.list_version)}` : "not seen yet: what is popular")),
      view?.box,
      view ? h("h4", {}, "The list") : null,
      sources.length ? h("p", { class: "chips" }, sources.map((source) => h("span", {}, h("i", { class: `swatch by-${source}`, "aria-hidden": "true" }), SOURCES[source] ?? source))) : null,
      body.items.length ? pickList(body.items) : h("p", { class: "empty" }, "Nothing to recommend yet."),
    ].filter(Boolean);
  }

  itemView(body) {
    return [
      h("div", { class: "result-head" }, h("h3", { tabindex: -1 }, body.title || body.item_id),
        h("p", { class: "aside" }, [body.title ? body.item_id : null, body.category?.replaceAll("|", ", ")].filter(Boolean).join(" · "))),
      h("p", { class: "aside" }, "Similar items"),
      body.items.length ? pickList(body.items) : h("p", { class: "empty" }, "Nothing is like it yet."),
    ];
  }
}
