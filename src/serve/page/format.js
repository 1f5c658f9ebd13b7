// Numbers as people read them. Every figure on the page comes through here.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", minimumFractionDigits: 1, maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

// 1,234,567 in full as long as it can be read at a glance, then 12.35M.
export const count = (n) => (Math.abs(n) < 1e7 ? whole.format(n) : compact.format(n));

// Per second: one decimal where it matters.
export const rate = (n) => (n > 0 && n < 9.95 ? n.toFixed(1) : count(n));

// A number and its unit, apart, so that the unit may stand smaller.
export function durationParts(ms) {
  const s = ms / 1000;
  if (s < 0.0995) return [ms < 9.95 ? ms.toFixed(1) : ms.toFixed(0), "ms"];
  if (s < 0.9995) return [ms.toFixed(0), "ms"];
  if (s < 9.995) return [s.toFixed(2), "s"];
  if (s < 99.5) return [s.toFixed(1), "s"];
  if (s < 5400) return [(s / 60).toFixed(0), "min"];
  if (s < 129600) return [(s / 3600).toFixed(1), "h"];
  return [count(s / 86400), "days"];
}

export const duration = (ms) => durationParts(Math.max(0, ms)).join("\u202f");

// How long something has lasted: two units at most.
export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s}\u202fs`;
  if (s < 3600) return `${Math.floor(s / 60)}\u202fmin ${s % 60}\u202fs`;
  if (s < 86400) return `${Math.floor(s / 3600)}\u202fh ${Math.floor((s % 3600) / 60)}\u202fmin`;
  return `${Math.floor(s / 86400)}\u202fd ${Math.floor((s % 86400) / 3600)}\u202fh`;
}

export const ago = (ms) => (ms < 1500 ? "just now" : `${span(ms)} ago`);

export function share(part, all) {
  if (!all || !part) return "0%";
  const percent = (100 * part) / all;
  if (percent < 0.01) return "<0.01%";
  return `${percent < 0.995 ? percent.toFixed(2) : percent < 99.95 || part === all ? percent.toFixed(1) : "99.9"}%`;
}

export function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let i = 0;
  while (n >= 1023.5 && i < units.length - 1) {
    n /= 1024;
    i++;
  }
  return `${i === 0 || n >= 99.5 ? n.toFixed(0) : n.toPrecision(3)}\u202f${units[i]}`;
}

export const timeOfDay = (ms) => clock.format(ms);

// The time alone when it is today's, else with its date.
export const moment = (ms, now) => (Math.abs(now - ms) < 43200000 ? clock.format(ms) : `${day.format(ms)}, ${clock.format(ms)}`);

// "rating_range" as words.
export const words = (name) => (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll("_", " ").replace("utf8", "UTF-8");
