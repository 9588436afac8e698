// Small behaviours, bound once to the document so that refreshed fragments need no wiring.
(() => {
  // A log that stands at its end stays there when lines arrive.
  const atEnd = new Map();
  const logs = () => document.querySelectorAll("[data-follow]");
  const toEnd = (log) => { log.scrollTop = log.scrollHeight; };
  document.addEventListener("htmx:beforeSwap", () => {
    for (const log of logs()) atEnd.set(log.id, log.scrollHeight - log.scrollTop - log.clientHeight < 24);
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const log of logs()) if (atEnd.get(log.id) !== false) toEnd(log);
  });

  // Good news goes away by itself.
  const fade = () => {
    for (const note of document.querySelectorAll('#messages [data-level="success"]')) setTimeout(() => note.remove(), 6000);
  };
  document.addEventListener("htmx:oobAfterSwap", fade);
  fade();

  // The connection is lost: say so once, keep trying.
  const offline = (is) => document.documentElement.toggleAttribute("data-offline", is);
  document.addEventListener("htmx:sendError", () => offline(true));
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) offline(false); });

  // A dialog that several buttons open is told what it is about; a destructive one waits until its name is typed.
  const open = (dialog, given) => {
    for (const part of dialog.querySelectorAll("[data-given]")) {
      if (part.matches("input")) part.value = given;
      else part.textContent = given;
    }
    for (const input of dialog.querySelectorAll("[data-must-equal]")) {
      input.dataset.mustEqual = given;
      input.value = "";
      input.form.querySelector(".danger").disabled = true;
    }
    dialog.showModal();
  };
  document.addEventListener("input", (event) => {
    const { mustEqual } = event.target.dataset;
    if (mustEqual) event.target.form.querySelector(".danger").disabled = event.target.value !== mustEqual;
  });

  document.addEventListener("click", (event) => {
    event.target.closest("[data-dismiss]")?.closest(".notice").remove();
    const opener = event.target.closest("[data-dialog]");
    if (opener) open(document.getElementById(opener.dataset.dialog), opener.dataset.give);
    const dialog = event.target.closest("dialog");
    if (dialog && (event.target === dialog || event.target.closest(".close"))) dialog.close();
    const copier = event.target.closest("[data-copy]");
    if (copier) {
      navigator.clipboard.writeText(copier.dataset.copy).then(() => {
        copier.classList.add("copied");
        setTimeout(() => copier.classList.remove("copied"), 1200);
      });
    }
  });
  document.addEventListener("submit", (event) => {
    const dialog = event.target.closest("dialog");
    if (dialog) dialog.close();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  // Only one menu is open, until one clicks elsewhere or presses Escape.
  const closeMenus = (but) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== but) menu.open = false;
  };
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // A chart says in words what the pointer is at.
  document.addEventListener("pointerover", (event) => {
    const said = event.target.closest("[data-chart]")?.querySelector("[data-chart-said]");
    if (said) said.textContent = event.target.closest("[data-said]")?.dataset.said ?? "";
  });

  // Empty filters stay out of the address.
  document.addEventListener("formdata", (event) => {
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });

  // Keyboard: "/" searches, j and k walk through rows, Escape leaves the search.
  const step = (by) => {
    const links = [...document.querySelectorAll("[data-row-link]")];
    if (!links.length) return;
    const here = links.indexOf(document.activeElement);
    const next = here < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, here + by));
    links[next].focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    const search = document.querySelector("[data-search]");
    if (event.key === "/" && search) { event.preventDefault(); search.focus(); search.select(); }
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });

  for (const log of logs()) toEnd(log);
  // On a phone the navigation is a strip: the current page is in sight.
  document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
})();
