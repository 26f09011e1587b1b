// Colours: the system's, or the reader's own choice, remembered. Loaded before the first paint.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";

  const read = () => {
    try {
      return localStorage.getItem("theme") || "system";
    } catch {
      return "system"; // storage is switched off
    }
  };
  const apply = (theme) => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
  };
  apply(read());

  addEventListener("storage", (event) => event.key === "theme" && apply(read()));
  addEventListener("DOMContentLoaded", () => {
    const choices = document.getElementById("theme");
    if (!choices) return;
    choices.querySelector(`[value="${read()}"]`).checked = true;
    choices.addEventListener("change", (event) => {
      apply(event.target.value);
      try {
        localStorage.setItem("theme", event.target.value);
      } catch {
        // it lasts for this page
      }
    });
  });
})();
