// News of the pool: events while they come, else by asking again; silent in a hidden tab.
const FIRST_EVENT_MS = 6000;
const ASK_TIMEOUT_MS = 5000;
// A whole page each time: dearer than the stream by far.
const LEAST_ASK_S = 5;
const STREAM_AGAIN_MS = 60000;

export class PoolLine {
  /** `tell` gets every object of the stream, `replace` the fresh part of the page when there is no stream. */
  constructor({ events, part, tell, replace }) {
    Object.assign(this, { events, part, tell, replace });
    this.every = 1;
    this.source = null;
    this.timers = new Set();
    this.isOpen = false;
  }

  open(every) {
    this.close();
    this.every = every;
    this.isOpen = true;
    if (this.events) this.#listen();
    else this.#after(this.#askEvery(), () => this.#ask());
  }

  close() {
    this.isOpen = false;
    this.source?.close();
    this.source = null;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  #listen() {
    const source = new EventSource(`${this.events}?every=${this.every}`);
    this.source = source;
    const heard = ({ data }) => {
      if (this.source !== source) return;
      clearTimeout(patience);
      this.tell(JSON.parse(data));
    };
    for (const name of ["status", "same", "bye"]) source.addEventListener(name, heard);
    // A proxy that holds events back looks like a line on which nothing happens.
    const patience = this.#after(FIRST_EVENT_MS, () => this.#giveUp(source));
    source.addEventListener("error", () => {
      // Otherwise the browser tries again by itself.
      if (source.readyState === EventSource.CLOSED) this.#giveUp(source);
    });
  }

  #giveUp(source) {
    if (this.source !== source) return;
    source.close();
    this.source = null;
    this.#ask();
    this.#after(STREAM_AGAIN_MS, () => this.open(this.every));
  }

  async #ask() {
    try {
      const answer = await fetch(this.part, {
        credentials: "same-origin",
        signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
      });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (this.isOpen) this.replace(page.body);
    } catch {
      // Shown by the age of what is there; the next round tries again.
    }
    if (this.isOpen && !this.source) this.#after(this.#askEvery(), () => this.#ask());
  }

  #askEvery() {
    return Math.max(this.every, LEAST_ASK_S) * 1000;
  }

  #after(ms, run) {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      run();
    }, ms);
    this.timers.add(timer);
    return timer;
  }
}
