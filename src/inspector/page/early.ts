/// <reference lib="dom" />
// Runs before the first paint, so that the page never appears in the wrong
// colours.
try {
  const theme = localStorage.getItem("zestor.theme");
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
  }
} catch {
  // The browser stores nothing for this page.
}
