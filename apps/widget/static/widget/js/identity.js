/**
 * Who the visitor is on this site. Nothing is stored before the server has given a token, which it
 * does with the first message; of the chats themselves nothing is ever stored here.
 */

export class Identity {
  #stored = {};
  // What the page's own login says; never stored.
  userJwt = null;
  isBlocked = false;

  /** onChanged(): another tab began, ended or changed who the visitor is. */
  constructor(site, onChanged) {
    this.key = `corral:${site}`;
    this.#read();
    addEventListener("storage", ({ key }) => {
      if (key !== this.key && key !== null) return;
      const { token } = this.#stored;
      this.#stored = {};
      this.#read();
      // A rotated token is the same visitor still, and this tab's connection needs no other.
      if (!token !== !this.token) onChanged();
    });
  }

  get token() {
    return this.#stored.token;
  }

  get conversation() {
    return this.#stored.conversation ?? null;
  }

  /** An answer was being written when the last page was left. */
  get isBusy() {
    return this.#stored.isBusy === true;
  }

  get hasAgreed() {
    return this.#stored.agreed === true;
  }

  /** Take the token out of a frame, if it brings one. */
  observe({ token, token_exp: until }) {
    if (!token) return;
    this.#stored.token = token;
    this.#stored.until = until;
    this.#write();
  }

  /** Note where the visitor is, for the next page; without a token there is nothing to note. */
  note(values) {
    Object.assign(this.#stored, values);
    if (this.token || this.userJwt) this.#write();
  }

  /** The visitor is a user of the page now, and what was written before is theirs. */
  becomeUser() {
    const { conversation } = this.#stored;
    this.#stored = { conversation };
    this.#write();
  }

  forget() {
    this.#stored = {};
    this.userJwt = null;
    try {
      localStorage.removeItem(this.key);
    } catch {
      // It was never stored.
    }
  }

  #read() {
    try {
      const stored = JSON.parse(localStorage.getItem(this.key));
      if (stored && !(stored.until * 1000 < Date.now())) this.#stored = stored;
    } catch {
      // Blocked, or not ours: this page begins as nobody.
    }
  }

  #write() {
    try {
      const text = JSON.stringify(this.#stored);
      // Not with every word of an answer.
      if (text !== localStorage.getItem(this.key)) localStorage.setItem(this.key, text);
    } catch {
      this.isBlocked = true;
    }
  }
}
