/** Tells the server that a question may come, so that the model can get ready: now and then, not with every key. */

const WARM_EVERY_MS = 10_000;

export class Warmth {
  #last = { id: undefined, at: 0 };

  /** True while it could not be told because there was no line. */
  isWanted = false;

  /** id: the open conversation, or null; send(frame) => it went out. */
  ask(id, send) {
    const now = performance.now();
    if (this.#last.id === id && now - this.#last.at < WARM_EVERY_MS) return;
    this.isWanted = !send({ type: "warm", conversation: id ?? undefined });
    if (!this.isWanted) this.#last = { id, at: now };
  }
}
