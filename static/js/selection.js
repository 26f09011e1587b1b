// Counts the conversations that are selected for export, and selects all that are shown.
(() => {
  const form = document.getElementById("selection");
  if (!form) return;
  const all = document.getElementById("select-all");
  const count = document.getElementById("selection-count");
  const words = count.textContent;
  const boxes = () => [...form.querySelectorAll("[name=conversation]")];

  function tell() {
    const chosen = new Set(boxes().filter((box) => box.checked).map((box) => box.value)).size;
    const shown = new Set(boxes().map((box) => box.value)).size;
    count.textContent = chosen ? `${chosen.toLocaleString()} selected` : words;
    all.checked = chosen > 0 && chosen === shown;
    all.indeterminate = chosen > 0 && chosen < shown;
  }
  form.addEventListener("change", ({ target }) => {
    if (target === all) for (const box of boxes()) box.checked = all.checked;
    else if (target.name === "conversation") for (const box of boxes()) if (box.value === target.value) box.checked = target.checked;
    tell();
  });
  addEventListener("htmx:after:swap", tell); // more lines came
  addEventListener("pageshow", tell); // a browser that goes back ticks what was ticked
})();
