/**
 * The chat for networks that let no socket through: frames go by POST, and what an answer says comes
 * as server-sent events. It looks like a WebSocket, so nobody else has to know.
 */

const AGAIN_MS = 1_000;
const LAST = new Set(["gen.done", "gen.error"]);
const ASKING = new Set(["gen.regenerate", "gen.continue"]);
const CLOSED = 1006;

export class PostLine {
  onopen = null;
  onmessage = null;
  onclose = null;
  #ending = new AbortController();
  #readers = new Map();
  #sending = Promise.resolve();

  /** base: address of the API with its slash; headers(): who is asking; query: such as "lang=de". */
  constructor({ base, headers, query = "" }) {
    this.base = base;
    this.headers = headers;
    this.query = query;
    queueMicrotask(() => this.onopen?.());
  }

  /** Frames are sent one after the other, as on a socket. */
  send(json) {
    this.#sending = this.#sending.then(() => this.#send(JSON.parse(json))).catch(() => this.#lose());
  }

  close() {
    this.#ending.abort();
    for (const reader of this.#readers.values()) reader.abort();
  }

  async #send(frame) {
    if (frame.type === "gen.resume") {
      this.#follow(frame.gen, frame.after);
    } else if (frame.type === "hello") {
      await this.#post(frame);
      for (const { gen, after } of frame.resume ?? []) this.#follow(gen, after);
    } else if (frame.type === "identify") {
      // Who asks stands in the headers from now on.
      if (await this.#post({ type: "ping", n: 0 }, frame.type)) this.#tell({ type: "identified" });
    } else if (frame.type.startsWith("pool.")) {
      // What a socket only is told.
    } else {
      const isAccepted = await this.#post(frame);
      if (isAccepted && ASKING.has(frame.type)) this.#follow(frame.gen, 0);
    }
  }

  /** True if the frame was taken; `ref` names what was asked for in a refusal. */
  async #post(frame, ref = frame.type) {
    const response = await fetch(`${this.base}chat/frames?${this.query}`, {
      method: "POST",
      headers: { ...this.headers(), "Content-Type": "application/json" },
      credentials: "same-origin",
      body: JSON.stringify(frame),
      signal: this.#ending.signal,
    });
    const answers = await response.json();
    if (!Array.isArray(answers)) {
      const { code, message: text } = answers.error;
      this.#tell({ type: "error", ref, code, text });
      throw new Error(`The server answered ${response.status}.`);
    }
    for (const answer of answers) {
      this.#tell(answer);
      if (answer.type === "message.ack") this.#follow(answer.gen, 0);
    }
    return response.ok;
  }

  /** Read one answer to its end, from behind frame `after`; a newer reader takes the place of an older one. */
  async #follow(gen, after) {
    this.#readers.get(gen)?.abort();
    const reader = new AbortController();
    this.#readers.set(gen, reader);
    const { signal } = reader;
    try {
      for (let last = after; last !== null && !signal.aborted; ) {
        last = await this.#read(gen, last, signal);
        if (last !== null) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    } catch {
      if (!signal.aborted) this.#lose();
    }
  }

  /** Number of the last frame read; null when there is nothing more to come. */
  async #read(gen, after, signal) {
    const headers = { ...this.headers(), Accept: "text/event-stream" };
    const address = `${this.base}gen/${encodeURIComponent(gen)}/events?after=${after}&${this.query}`;
    const response = await fetch(address, { headers, credentials: "same-origin", signal });
    if (!response.ok) return null;
    let last = after;
    let rest = "";
    const text = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await text.read();
      if (done || signal.aborted) return last;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
        if (data === "") continue;
        const frame = JSON.parse(data);
        last = frame.seq ?? last;
        this.#tell(frame);
        const isOver = frame.type === "gen.snapshot" ? frame.state !== "streaming" : LAST.has(frame.type) || frame.type === "error";
        if (isOver) return null;
      }
    }
  }

  #tell(frame) {
    if (!this.#ending.signal.aborted) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  #lose() {
    if (this.#ending.signal.aborted) return;
    this.close();
    this.onclose?.({ code: CLOSED });
  }
}
