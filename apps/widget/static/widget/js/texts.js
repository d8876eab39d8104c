/**
 * The words of a panel, which is made once for each language: its sentences stand in the code in place
 * of the English ones. Takes the place of ai_chat/js/texts.js.
 */

const LANGUAGE = "__LANGUAGE__";

export const language = () => LANGUAGE;
export const direction = () => "__DIR__";

/** A text that was sent in other letters; panel_texts.py does so. What stands in `%(name)s` stays. */
export function spelt(text) {
  return text.replace(/%\(\w+\)s|[A-z]/g, (found) => (found[1] ? found : String.fromCharCode(found.charCodeAt() + Number("__SHIFT__"))));
}

/** Put `values` into the places `%(name)s` of a text. */
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (place, name) => values[name]);
}
