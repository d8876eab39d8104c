/**
 * The visitor's language. The English sentences in the code are what catalogs translate, so English
 * needs none. Ask when a sentence is shown, not when a module loads: the catalog may come later.
 */

let catalog = { language: "en", dir: "ltr", plural: ["one", "other"], messages: {} };

/**
 * messages: texts by `keyOf` their English; a list for counted ones. plural: the names that
 * Intl.PluralRules gives, in the order of such a list.
 */
export function useCatalog(given) {
  catalog = { ...catalog, ...given };
}

/** The language for Intl, and the direction its texts are written in. */
export const language = () => catalog.language;
export const direction = () => catalog.dir;

export function gettext(msgid) {
  return catalog.messages[keyOf(msgid)] ?? msgid;
}

export function ngettext(one, many, n) {
  const forms = catalog.messages[keyOf(one)];
  if (!forms) return n === 1 ? one : many;
  const form = new Intl.PluralRules(catalog.language).select(n);
  return forms[catalog.plural.indexOf(form)] ?? forms.at(-1);
}

/** Put `values` into the places `%(name)s` of a text. */
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (place, name) => values[name] ?? place);
}

/** Three characters instead of an English sentence make a catalog a third smaller. */
export function keyOf(msgid) {
  let key = 0;
  for (const char of msgid) key = (key * 31 + char.codePointAt()) % 46_649;
  return key.toString(36);
}
