// Loads the page again when a part of it did not arrive: on a line that breaks, half a page would stay
// half a page. A classic script in front of all others, so that it sees them fail.
(() => {
  const KEY = "corral:load-again";
  const MOST = 8;
  const PAUSE_MS = 1500;
  let isBroken = false;

  function numTries() {
    try {
      return Number(sessionStorage.getItem(KEY)) || 0;
    } catch {
      // Nothing can be counted, so nothing is tried: it might go on for ever.
      return MOST;
    }
  }

  function tryAgain(event) {
    const isPart = event.target instanceof HTMLScriptElement || event.target instanceof HTMLLinkElement;
    const num = numTries();
    if (!isPart || isBroken || num >= MOST) return;
    isBroken = true;
    sessionStorage.setItem(KEY, String(num + 1));
    setTimeout(() => location.reload(), PAUSE_MS);
  }

  // Errors of elements do not bubble; they are seen on their way down.
  addEventListener("error", tryAgain, true);
  addEventListener("load", () => {
    if (!isBroken && numTries() < MOST) sessionStorage.removeItem(KEY);
  });
})();
