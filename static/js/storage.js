// What the browser keeps of unsent text: `storage` for the scripts behind this one. Signing out forgets it.
(() => {
  const kept = ["draft:", "edit:"];
  window.storage = {
    get: (name) => attempt(() => localStorage.getItem(name)),
    set: (name, text) => attempt(() => localStorage.setItem(name, text)),
    remove: (name) => attempt(() => localStorage.removeItem(name)),
  };

  function attempt(action) {
    try {
      return action();
    } catch {
      return null; // it is switched off or full: drafts then live as long as the page
    }
  }

  addEventListener("submit", (event) => {
    if (!("signOut" in event.target.dataset)) return;
    const names = attempt(() => Object.keys(localStorage)) ?? [];
    for (const name of names) if (kept.some((beginning) => name.startsWith(beginning))) storage.remove(name);
  });
})();
