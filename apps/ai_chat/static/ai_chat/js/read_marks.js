/** What the visitor has seen is marked as read, in every tab. */

export class ReadMarks {
  #last = null;

  /** connection: where the marks go; current: () => the open conversation. */
  constructor(connection, current) {
    this.connection = connection;
    this.current = current;
    document.addEventListener("visibilitychange", () => this.note());
  }

  /** The open conversation is shown as it is now. */
  note() {
    const { id, lastTurn } = this.current();
    const answer = lastTurn?.answer;
    if (id === null || !answer?.message || answer.isLive || document.hidden || answer.message === this.#last) return;
    if (this.connection.send({ type: "read", conversation: id, message: answer.message })) this.#last = answer.message;
  }
}
