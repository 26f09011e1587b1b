// The rail folds away on wide screens (remembered) and is a drawer on narrow ones. Loaded before the first paint.
(() => {
  const root = document.documentElement;
  const isNarrow = () => matchMedia("(max-width: 56rem)").matches;
  const remember = (folded) => {
    try {
      localStorage.setItem("rail", folded ? "folded" : "open");
    } catch {
      // it lasts for this page
    }
  };
  const fold = (folded) => {
    if (folded) root.dataset.rail = "folded";
    else delete root.dataset.rail;
    remember(folded);
  };
  try {
    if (localStorage.getItem("rail") === "folded") root.dataset.rail = "folded";
  } catch {
    // storage is switched off: the rail is shown
  }

  let opener = null;
  const open = (button) => {
    opener = button;
    root.dataset.drawer = "";
    document.querySelector(".rail-close").focus();
  };
  const close = () => {
    if (!("drawer" in root.dataset)) return;
    delete root.dataset.drawer;
    opener?.focus();
  };

  addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-rail-open], [data-rail-close], [data-rail-fold]");
    if (!button) return;
    event.preventDefault();
    if ("railFold" in button.dataset) {
      fold(true);
      document.querySelector(".rail-open").focus();
    } else if ("railClose" in button.dataset) close();
    else if (isNarrow()) open(button);
    else {
      fold(false);
      document.querySelector(".rail-fold").focus();
    }
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && "drawer" in root.dataset) {
      event.stopImmediatePropagation();
      close();
    }
  });
  // A title that is cut off is told in full under the pointer.
  addEventListener("pointerover", (event) => {
    const title = event.target.closest?.(".rail-title");
    if (title) title.title = title.scrollWidth > title.clientWidth ? title.textContent : "";
  });
  addEventListener("DOMContentLoaded", () => {
    document.querySelector(".rail [aria-current]")?.scrollIntoView({ block: "nearest" });
  });
})();
