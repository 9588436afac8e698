// What a chart says of the place under the pointer, or under the arrow keys. Everything shown stands in its table too.
(() => {
  const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
  tip.setAttribute("role", "status");
  document.body.append(tip);
  let column = null;

  const hide = () => {
    tip.hidden = true;
    column?.classList.remove("at");
    column = null;
  };
  const show = (mark) => {
    if (column !== mark) hide();
    column = mark;
    mark.classList.add("at");
    tip.textContent = mark.dataset.tip;
    tip.hidden = false;
    const box = mark.getBoundingClientRect();
    const left = box.left + box.width / 2 - tip.offsetWidth / 2;
    tip.style.left = `${Math.max(8, Math.min(left, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${box.top > tip.offsetHeight + 12 ? box.top - tip.offsetHeight - 8 : box.bottom + 8}px`;
  };
  const columns = (plot) => [...plot.querySelectorAll("[data-tip]")];

  document.addEventListener("pointermove", (event) => {
    const plot = event.target.closest("[data-plot]");
    if (!plot) return event.target.dataset?.tip ? show(event.target) : hide();
    const box = plot.getBoundingClientRect();
    const all = columns(plot);
    const at = Math.floor(((event.clientX - box.left) / box.width) * all.length);
    if (all.length) show(all[Math.max(0, Math.min(at, all.length - 1))]);
  });
  document.addEventListener("pointerleave", hide);
  document.addEventListener("scroll", hide, { capture: true, passive: true });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => {
    const plot = event.target.closest("[data-plot]");
    if (!plot || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return hide();
    const all = columns(plot);
    const at = all.indexOf(column);
    const next = { ArrowRight: at + 1, ArrowLeft: at < 0 ? all.length - 1 : at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined || !all.length) return;
    event.preventDefault();
    show(all[Math.max(0, Math.min(next, all.length - 1))]);
  });
})();
