/** The REST side: past conversations, their names and their end. */

export class ApiError extends Error {
  constructor(status) {
    super(`The server answered ${status}.`);
    this.status = status;
  }
}

export class Api {
  /** base: address of the API with its trailing slash; query: what every request carries. */
  constructor(base, query = "") {
    this.base = base;
    this.query = query;
  }

  /** Newest first; follows pages of a paginated list. */
  async listConversations() {
    const found = [];
    let address = this.#at("conversations/");
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

  /** What is kept of the visitor: {kept, num_conversations, retention_days}. */
  readVisitor() {
    return this.#call("GET", this.#at("visitor"));
  }

  /** Erase everything of the visitor, at once. */
  eraseVisitor() {
    return this.#call("DELETE", this.#at("visitor"));
  }

  #address(id) {
    return this.#at(`conversations/${encodeURIComponent(id)}/`);
  }

  #at(path) {
    return `${this.base}${path}${this.query && `?${this.query}`}`;
  }

  /** What every request carries. */
  headers(method) {
    const isReading = method === "GET";
    return { Accept: "application/json", ...(isReading ? {} : { "X-CSRFToken": readCookie("csrftoken") }) };
  }

  async #call(method, address, { body, keepalive = false } = {}) {
    const headers = this.headers(method);
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
