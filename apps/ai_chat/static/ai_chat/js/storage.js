/** Session storage that is allowed to be missing: then things live as long as the page. */

const memory = new Map();

/** The stored value of `key`, or `fallback` when there is none or it cannot be read. */
export function recall(key, fallback) {
  try {
    const stored = sessionStorage.getItem(key);
    if (stored !== null) return JSON.parse(stored);
  } catch {
    // Blocked or not JSON: use what this page remembers.
  }
  return memory.has(key) ? memory.get(key) : fallback;
}

/** Keep `value` under `key`; null forgets it. */
export function keep(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
    memory.delete(key);
  } catch {
    memory.set(key, value);
  }
}
