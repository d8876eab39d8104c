/**
 * The words of a panel, which is made once for each language: its sentences stand in the code in place
 * of the English ones. Takes the place of ai_chat/js/texts.js.
 */

const LANGUAGE = "__LANGUAGE__";
const PLURALS = "__PLURALS__".split(" ");

export const language = () => LANGUAGE;
export const direction = () => "__DIR__";

/** In place of ngettext. given: all forms of a counted text, and the number. */
export function formOf(...given) {
  const n = given.pop();
  return given[PLURALS.indexOf(new Intl.PluralRules(LANGUAGE).select(n))] ?? given.at(-1);
}

/** Put `values` into the places `%(name)s` of a text. */
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (place, name) => values[name]);
}
