/** Identifiers the page chooses itself, so that a lost reply can be asked for again. */

/** A random UUID; crypto.randomUUID is missing on plain http origins other than localhost. */
export function newId() {
  const digit = (place) => (place ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (place / 4)))).toString(16);
  // Of the version (4) nothing is random, of the variant (8) two bits.
  return "00000000-0000-4000-8000-000000000000".replace(/[08]/g, digit);
}
