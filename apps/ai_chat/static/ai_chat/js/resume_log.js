/** How often the missing frames of an answer were asked for: not again and again for the same gap. */

const MAX_TIMES = 3;
const EVERY_MS = 2_000;

export class ResumeLog {
  #asked = new Map();

  /** A new line asks for all running answers at once; returns what its hello says. */
  begin(turns) {
    this.#asked.clear();
    return turns.map(({ answer }) => {
      this.note(answer);
      return { gen: answer.gen, after: answer.lastSeq };
    });
  }

  hasAsked(answer) {
    return this.#asked.has(answer.gen);
  }

  /** True if what is behind the answer's last frame was asked for a moment ago. */
  isRecent(answer) {
    const last = this.#asked.get(answer.gen);
    return last?.after === answer.lastSeq && performance.now() - last.at < EVERY_MS;
  }

  /** Note a request; false if this gap was asked for too often already. */
  note(answer) {
    const last = this.#asked.get(answer.gen);
    const num = last?.after === answer.lastSeq ? last.num + 1 : 1;
    if (num > MAX_TIMES) this.#asked.delete(answer.gen);
    else this.#asked.set(answer.gen, { after: answer.lastSeq, at: performance.now(), num });
    return num <= MAX_TIMES;
  }
}
