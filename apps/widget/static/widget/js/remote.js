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

  async #call(method, path) {
    const { token, userJwt } = this.identity;
    const headers = { Accept: "application/json", Authorization: `Bearer ${userJwt ?? token}` };
    const answer = await fetch(this.base + path, { method, headers, credentials: "omit" });
    if (!answer.ok) throw answer;
    return answer;
  }
}
