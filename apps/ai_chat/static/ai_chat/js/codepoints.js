/** Lengths as the server counts them: Unicode code points, not UTF-16 units. */

const PAIR = /[\uD800-\uDBFF][\uDC00-\uDFFF]/g;

/** Number of code points in `text`. */
export function countPoints(text) {
  return text.length - (text.match(PAIR)?.length ?? 0);
}

/** The first `num` code points of `text`. */
export function clipPoints(text, num) {
  if (num >= text.length) return text;
  let end = 0;
  for (let left = num; left > 0 && end < text.length; left -= 1) {
    end += text.codePointAt(end) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}
