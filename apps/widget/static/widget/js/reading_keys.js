/** The keys that read: they scroll the transcript from the message box. */

/** With nothing typed, the reading keys scroll the transcript. */
export function scrollByKey(event, composer, keeper) {
  const move = {
    PageUp: () => keeper.page(-1),
    PageDown: () => keeper.page(1),
    Home: () => keeper.toStart(),
    End: () => keeper.toEnd(),
  }[event.key];
  if (!move || !composer.isEmpty) return;
  event.preventDefault();
  move();
}
