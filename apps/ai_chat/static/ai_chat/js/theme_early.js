// Sets the stored theme before the first paint; a classic script because modules run too late.
try {
  const stored = localStorage.getItem("corral:theme");
  if (stored === "light" || stored === "dark") document.documentElement.dataset.theme = stored;
} catch {
  // Storage may be blocked; the theme then follows the system.
}
