// Price lists: everything here makes a page nicer; without it every page still works.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const size = (bytes) => new Intl.NumberFormat(root.lang, { style: "unit", unit: bytes < 1e6 ? "kilobyte" : "megabyte", maximumFractionDigits: 1 }).format(bytes / (bytes < 1e6 ? 1e3 : 1e6));

  // The upload: drop a file anywhere on the zone, see its name, hear at once that it is too big.
  const zone = document.querySelector("[data-dropzone]");
  if (zone) {
    const input = zone.querySelector("input[type=file]");
    const name = zone.querySelector("[data-file-name]");
    const about = zone.querySelector("[data-file-size]");
    const error = document.querySelector("[data-file-error]");
    for (const kind of ["dragenter", "dragover"]) zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("over"); });
    for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      if (!event.dataTransfer.files.length) return;
      const one = new DataTransfer();
      one.items.add(event.dataTransfer.files[0]);
      input.files = one.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
    input.addEventListener("change", () => {
      const file = input.files[0];
      if (!file) return;
      const tooBig = file.size > Number(input.dataset.maxBytes);
      name.textContent = file.name;
      about.textContent = size(file.size);
      zone.classList.toggle("chosen", !tooBig);
      error.textContent = tooBig ? input.dataset.tooBig : "";
      error.classList.toggle("errorlist", tooBig);
      input.setCustomValidity(tooBig ? input.dataset.tooBig : "");
    });
  }

  // A form that takes a while says so, and is not sent twice.
  for (const form of document.querySelectorAll("form[data-busy]")) {
    form.addEventListener("submit", () => {
      const button = form.querySelector("button.primary");
      button.setAttribute("aria-disabled", "true");
      button.querySelector("span").textContent = form.dataset.busy;
    });
  }
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // A sheet shows which columns and rows are meant, while somebody chooses them.
  const known = JSON.parse(document.getElementById("columns-of")?.textContent || '{"labels": {}, "configs": {}}');
  const lettersOf = (text) => {
    const column = text.trim().toUpperCase();
    if (!/^\d+$/.test(column)) return column;
    let letters = "";
    for (let index = Number(column); index >= 0; index = Math.floor(index / 26) - 1) letters = String.fromCharCode(65 + (index % 26)) + letters;
    return letters;
  };
  const paint = (sheet) => {
    const config = sheet.querySelector("[data-config]");
    const fields = [...sheet.querySelectorAll("[data-column]")];
    const fresh = sheet.querySelector("[data-new-config]");
    if (fresh) fresh.hidden = Boolean(config.value);
    const columns = config.value ? known.configs[config.value] || {} : Object.fromEntries(fields.map((field) => [field.dataset.column, lettersOf(field.value)]));
    const used = new Map();
    for (const [name, letters] of Object.entries(columns)) if (letters) used.set(letters, [...(used.get(letters) || []), known.labels[name]]);
    const heads = [...sheet.querySelectorAll("thead th")];
    for (const head of heads) {
      const names = used.get(head.dataset.letters);
      head.classList.toggle("used", Boolean(names));
      head.querySelectorAll(".tag").forEach((tag) => tag.remove());
      for (const text of names || []) head.append(Object.assign(document.createElement("span"), { className: "tag", textContent: text }));
    }
    const start = Number(sheet.querySelector("[data-start-row]").value) || 0;
    for (const row of sheet.querySelectorAll("tr[data-row]")) {
      const number = Number(row.dataset.row);
      row.classList.toggle("banner", number <= start);
      row.classList.toggle("first", number === start + 1);
      [...row.querySelectorAll("td")].forEach((cell, index) => cell.classList.toggle("used", number > start && used.has(heads[index].dataset.letters)));
    }
    const take = sheet.querySelector("input[type=checkbox]");
    sheet.classList.toggle("out", Boolean(take) && !take.checked);
  };
  for (const sheet of document.querySelectorAll("[data-sheet]")) {
    if (!sheet.querySelector("[data-start-row]")) continue;
    paint(sheet);
    for (const kind of ["input", "change"]) sheet.addEventListener(kind, () => paint(sheet));
  }
  document.getElementById("errors")?.focus();
})();
