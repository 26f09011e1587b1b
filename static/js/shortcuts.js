// Keys: Escape closes or stops, / searches, ? shows the sheet, Alt Shift N begins anew, ArrowUp edits the last prompt.
(() => {
  const sheet = document.getElementById("help");
  const FOLDS = "details:is(.menu, .account, .title, .reason)[open]"; // what Escape closes
  const isTyping = (element) => element.matches?.("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
  let singleKeysWork = true;
  try {
    singleKeysWork = localStorage.getItem("keys") !== "off";
  } catch {
    // storage is switched off
  }

  function close(fold) {
    fold.open = false;
    fold.querySelector("summary").focus();
  }
  function escape({ target }) {
    const fold = target.closest?.(FOLDS) ?? document.querySelector("details:is(.menu, .account, .title)[open]");
    const cancel = target.closest?.(".version-form")?.querySelector("[data-cancel]");
    if (sheet.open) return; // the dialog closes itself
    if (cancel) cancel.click();
    else if (fold) close(fold);
    else document.getElementById("stop-form")?.requestSubmit();
  }
  function search() {
    const box = [...document.querySelectorAll("[type=search]")].find((found) => found.checkVisibility({ visibilityProperty: true }));
    const link = document.querySelector("[data-search]");
    if (box) box.focus();
    else if (link) link.click();
    else document.getElementById("prompt")?.focus();
  }
  function editLast(event) {
    const link = [...document.querySelectorAll("#thread [data-edit]")].at(-1);
    if (!link) return;
    event.preventDefault();
    link.click(); // the form that comes takes the focus
  }
  // By its place, as Option changes what the key writes on a Mac; a letter of the person's own stays theirs.
  const isNew = ({ code, key, altKey, shiftKey }) => altKey && shiftKey && code === "KeyN" && (/^n$/i.test(key) || !/\p{L}/u.test(key));

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (isNew(event) && !sheet.open) {
      event.preventDefault();
      document.querySelector(".rail-new").click();
    }
    if (event.altKey) return;
    if (event.key === "Escape") escape(event);
    else if (event.key === "ArrowUp" && event.target.id === "prompt" && !event.target.value && !event.shiftKey) editLast(event);
    else if (isTyping(event.target) || sheet.open || !singleKeysWork) return;
    else if (event.key === "/") {
      event.preventDefault();
      search();
    } else if (event.key === "?") sheet.showModal();
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
  addEventListener("DOMContentLoaded", () => {
    const choice = document.getElementById("single-keys");
    choice.checked = singleKeysWork;
    choice.addEventListener("change", () => {
      singleKeysWork = choice.checked;
      try {
        localStorage.setItem("keys", singleKeysWork ? "on" : "off");
      } catch {
        // it lasts for this page
      }
    });
  });
})();
