// In the head, before the first paint: the remembered choice of light or dark, so that nothing flashes.
(() => {
  const root = document.documentElement;
  const remembered = localStorage.getItem("faena-theme");
  if (remembered) root.dataset.theme = remembered;
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    localStorage.setItem("faena-theme", next);
  });
})();
