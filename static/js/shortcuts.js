// Keys: Escape stops, / goes to the search or the message box, ? shows the sheet.
(() => {
  const sheet = document.getElementById("help");
  const isTyping = (element) => element.matches?.("input:not([type=radio]), textarea, select, [contenteditable]");

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (event.key === "Escape") {
      const menu = document.querySelector("details.menu[open], details.account[open], details.title[open]");
      if (sheet.open) return; // the dialog closes itself
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      } else document.getElementById("stop-form")?.requestSubmit();
    } else if (event.key === "/" && !isTyping(event.target)) {
      event.preventDefault();
      (document.querySelector("[type=search]") ?? document.getElementById("prompt"))?.focus();
    } else if (event.key === "?" && !isTyping(event.target)) sheet.showModal();
  });

  addEventListener("click", (event) => {
    if (event.target.closest?.("[data-help]")) sheet.showModal();
    if (event.target === sheet) sheet.close();
    for (const menu of document.querySelectorAll("details.menu[open], details.account[open]")) {
      if (!menu.contains(event.target) || event.target.closest("[data-help]")) menu.open = false;
    }
  });
  addEventListener(
    "toggle",
    (event) => {
      if (event.target.matches?.("details.title[open]")) event.target.querySelector("input[name=title]").select();
    },
    true,
  );
})();
