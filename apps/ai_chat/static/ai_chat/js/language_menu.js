/** The menu of languages: a choice loads the page again, with the conversation that is open. */

/** Bind the form with its fields `next` and `language`. */
export function bindLanguage(form) {
  form.elements.language.addEventListener("change", () => {
    form.elements.next.value = location.pathname + location.search;
    form.submit();
  });
}
