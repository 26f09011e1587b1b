// Colours: the system's, or the reader's own choice, remembered. Loaded before the first paint.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";

  const read = () => {
    try {
      const stored = localStorage.getItem("theme");
      return stored === "light" || stored === "dark" ? stored : "system";
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
        // The admin's own script reads the same key, and calls the system's choice "auto".
        localStorage.setItem("theme", event.target.value === "system" ? "auto" : event.target.value);
      } catch {
        // it lasts for this page
      }
    });
  });
})();
