/** Files of the chat server. */

/** The answer for an address; without one that is fine this throws. */
export async function fetchFile(address) {
  const answer = await fetch(address, { credentials: "omit" });
  if (!answer.ok) throw new Error(`${address} answers ${answer.status}`);
  return answer;
}
