/** Where the page is: our own chat, or that of a website whose visitor came from there. */

export class Place {
  /** site: key of the website; "" for our own chat. */
  constructor(site) {
    this.site = site;
  }

  /** The address of a conversation; null: of a new one. */
  addressOf(conversation) {
    const query = new URLSearchParams();
    if (this.site) query.set("site", this.site);
    if (conversation !== null) query.set("c", conversation);
    return query.size > 0 ? `/?${query}` : "/";
  }

  /** What every request carries, so that it is made as the visitor of this place. */
  get query() {
    return this.site ? `handover=${encodeURIComponent(this.site)}` : "";
  }

  /** What `hello` says about it. */
  get hello() {
    return this.site ? { handover: this.site } : {};
  }
}
