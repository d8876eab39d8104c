/** Reads the open conversation from the server; only the newest request counts. */

const AGAIN_MS = 3_000;

export class ConversationReader {
  #reading = 0;

  /** onRead(json); onGone(): it does not exist (any more). */
  constructor(api, { onRead, onGone }) {
    this.api = api;
    this.onRead = onRead;
    this.onGone = onGone;
  }

  /** Read `id`; null only forgets what is under way. */
  async read(id) {
    const reading = ++this.#reading;
    if (id === null) return;
    let json;
    try {
      json = await this.api.readConversation(id);
    } catch (error) {
      if (reading !== this.#reading) return;
      if (error.status === 404) await this.onGone();
      // No answer: the next welcome may read it, or this.
      else setTimeout(() => reading === this.#reading && this.read(id), AGAIN_MS);
      return;
    }
    if (reading === this.#reading) this.onRead(json);
  }
}
