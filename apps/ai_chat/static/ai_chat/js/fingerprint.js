/** The short check sum that the server sends with a finished answer; null where it cannot be computed. */
export async function fingerprint(text) {
  // Missing on plain http origins other than localhost.
  if (!crypto.subtle) return null;
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes.slice(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
