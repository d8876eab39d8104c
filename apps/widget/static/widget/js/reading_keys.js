/** The keys that read: they scroll the transcript from the message box. */

/** With nothing typed, the reading keys scroll the transcript. */
export function scrollByKey(event, composer, keeper) {
  if (!composer.isEmpty || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  const moves = {
    PageUp: () => keeper.page(-1),
    PageDown: () => keeper.page(1),
    Home: () => keeper.toStart(),
    End: () => keeper.toEnd(),
  };
  if (!Object.hasOwn(moves, event.key)) return;
  event.preventDefault();
  moves[event.key]();
}
