/** Whole sentences out of a growing text, for reading aloud. */

const END = /[.!?\u2026\u3002\uFF01\uFF1F]["'\u201D\u2019)\]]*(?=\s)|[\u3002\uFF01\uFF1F]|\n+/g;

/** `text` without the marks of Markdown, which nobody wants to hear. */
export function spoken(text) {
  return text.replace(/!?\[([^\]]*)\]\([^)\s]*\)/g, "$1").replace(/[*_~`#|>]+/g, "").trim();
}

/** Split `text` from `start` into finished sentences; `next` is where the unfinished rest begins. */
export function takeSentences(text, start) {
  const sentences = [];
  let next = start;
  END.lastIndex = start;
  for (let match = END.exec(text); match !== null; match = END.exec(text)) {
    const end = match.index + match[0].length;
    const sentence = text.slice(next, end).trim();
    if (sentence !== "") sentences.push(sentence);
    next = end;
  }
  return { sentences, next };
}
