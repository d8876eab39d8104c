/** The REST side: past conversations, their names and their end. */

export class ApiError extends Error {
  constructor(status) {
    super(`The server answered ${status}.`);
    this.status = status;
  }
}

export class Api {
  /** base: address of the API with its trailing slash. */
  constructor(base) {
    this.base = base;
  }

  /** Newest first; follows pages of a paginated list. */
  async listConversations() {
    const found = [];
    let address = `${this.base}conversations/`;
    for (let page = 0; address && page < 20; page += 1) {
      const answer = await this.#call("GET", address);
      if (Array.isArray(answer)) return answer;
      found.push(...answer.results);
      address = answer.next;
    }
    return found;
  }

  readConversation(id) {
    return this.#call("GET", this.#address(id));
  }

  renameConversation(id, title) {
    return this.#call("PATCH", this.#address(id), { body: { title } });
  }

  /** keepalive lets the request outlive the page. */
  deleteConversation(id) {
    return this.#call("DELETE", this.#address(id), { keepalive: true });
  }

  #address(id) {
    return `${this.base}conversations/${encodeURIComponent(id)}/`;
  }

  async #call(method, address, { body, keepalive = false } = {}) {
    const headers = { Accept: "application/json" };
    if (method !== "GET") headers["X-CSRFToken"] = readCookie("csrftoken");
    if (body) headers["Content-Type"] = "application/json";
    const response = await fetch(address, {
      method,
      headers,
      keepalive,
      credentials: "same-origin",
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new ApiError(response.status);
    return response.status === 204 ? null : response.json();
  }
}

function readCookie(name) {
  const pair = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return pair ? decodeURIComponent(pair.slice(name.length + 1)) : "";
}
