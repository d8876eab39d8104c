/** The REST side for a page of another site: a token instead of cookies. */

export class Remote {
  /** base: the chat server; identity: whose chats. */
  constructor(base, identity) {
    this.base = `${base}/api/v1/`;
    this.identity = identity;
  }

  async readConversation(id) {
    return (await this.#call("GET", `conversations/${encodeURIComponent(id)}/`)).json();
  }

  /** Everything kept about this visitor, as a file. */
  async exportChats() {
    return (await this.#call("GET", "visitor/export")).blob();
  }

  eraseChats() {
    return this.#call("DELETE", "visitor");
  }

  /** An address that opens the full page as this visitor, once and soon. */
  async handOver(conversation) {
    return (await (await this.#call("POST", "visitor/handover", JSON.stringify({ conversation }))).json()).url;
  }

  /** The server has something of this visitor, or may have. */
  get isKnown() {
    return Boolean(this.identity.token || this.identity.userJwt);
  }

  /** Who is asking; nobody yet before the first message. */
  get headers() {
    const { token, userJwt } = this.identity;
    return this.isKnown ? { Authorization: `Bearer ${userJwt ?? token}` } : {};
  }

  async #call(method, path, body) {
    const headers = { ...this.headers, "Content-Type": "application/json" };
    const answer = await fetch(this.base + path, { method, headers, body, credentials: "omit" });
    if (!answer.ok) throw answer;
    return answer;
  }
}
