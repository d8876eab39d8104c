/** Session storage that is allowed to be missing: then things live as long as the page. */

const memory = new Map();
let scope = "";

/** Keep things apart from those of another chat of this origin: another site's, or the page's own. */
export function scopeStorage(name) {
  scope = `${name}|`;
}

/** The stored value of `key`, or `fallback` when there is none or it cannot be read. */
export function recall(key, fallback) {
  try {
    const stored = sessionStorage.getItem(scope + key);
    if (stored !== null) return JSON.parse(stored);
  } catch {
    // Blocked or not JSON: use what this page remembers.
  }
  return memory.has(key) ? memory.get(key) : fallback;
}

/** Keep `value` under `key`; null forgets it. */
export function keep(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(scope + key);
    else sessionStorage.setItem(scope + key, JSON.stringify(value));
    memory.delete(key);
  } catch {
    memory.set(key, value);
  }
}

// <page>
/** Forget everything this chat has kept; what others of this origin keep is not ours. */
export function forgetAll() {
  memory.clear();
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(scope)) sessionStorage.removeItem(key);
    }
  } catch {
    // Blocked: then nothing is in it.
  }
}
// </page>
