// Sets the stored theme and a website's colour before the first paint; a classic script because modules
// run too late.
const { accent } = document.documentElement.dataset;
if (accent) document.documentElement.style.setProperty("--corral-brand", accent);
try {
  const stored = localStorage.getItem("corral:theme");
  if (stored === "light" || stored === "dark") document.documentElement.dataset.theme = stored;
} catch {
  // Storage may be blocked; the theme then follows the system.
}
