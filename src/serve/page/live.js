// Keeps the page fed: server-sent events, and asking every two seconds while the stream does not come through. Whoever
// listens gets (state, data): "live" and "polling" with fresh stats, "lost" when nobody answers.

const SILENCE_MS = 4000; // four missed seconds: the stream counts as broken
const POLL_MS = 2000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

export class Live {
  constructor(listener) {
    this.listener = listener;
    this.failures = 0;
    this.heard = performance.now();
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.open()));
    setInterval(() => this.watch(), 500);
    this.open();
  }

  // A page in the background asks for nothing; it catches up from the history when it is looked at again.
  close() {
    clearTimeout(this.retry);
    this.stream?.close();
    this.stream = null;
  }

  open() {
    this.close();
    this.heard = performance.now();
    this.fetchHistory();
    const stream = (this.stream = new EventSource("api/v1/stream"));
    stream.addEventListener("stats", (event) => {
      this.failures = 0;
      this.heard = performance.now();
      this.listener("live", JSON.parse(event.data));
    });
    stream.addEventListener("open", () => this.failures && this.fetchHistory());
    stream.addEventListener("error", () => {
      this.failures++;
      if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      this.retry = setTimeout(() => this.open(), RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1]);
    });
  }

  async fetchHistory() {
    try {
      this.listener("history", await (await fetch("api/v1/history")).json());
    } catch {
      // the next stream that opens asks again
    }
  }

  async watch() {
    const now = performance.now();
    if (document.hidden || now - this.heard < SILENCE_MS || now - (this.polled ?? 0) < POLL_MS) return;
    this.polled = now;
    try {
      const answer = await fetch("api/v1/stats", { signal: AbortSignal.timeout(POLL_MS + 1000) });
      if (answer.ok) this.listener("polling", await answer.json());
      else this.listener("silent", null);
    } catch {
      if (performance.now() - this.heard >= SILENCE_MS) this.listener("lost", null);
    }
  }
}
