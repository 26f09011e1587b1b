// What was typed and not sent survives reloads, errors and an expired session, for each person and conversation.
(() => {
  const user = document.body.dataset.user;
  const prefix = `draft:${user}:`;
  const field = () => document.getElementById("prompt");
  const key = () => prefix + field().form.dataset.draft;
  const storage = {
    get: (name) => attempt(() => localStorage.getItem(name)),
    set: (name, text) => attempt(() => localStorage.setItem(name, text)),
    remove: (name) => attempt(() => localStorage.removeItem(name)),
    names: () => attempt(() => Object.keys(localStorage)) ?? [],
  };

  function attempt(action) {
    try {
      return action();
    } catch {
      return null; // storage is switched off or full: drafts then live as long as the page
    }
  }

  function keep() {
    if (field().value) storage.set(key(), field().value);
    else storage.remove(key());
  }

  function restore() {
    if (!field()) return;
    const draft = storage.get(key());
    if (draft && !field().value) {
      field().value = draft;
      dispatchEvent(new Event("draft:restored"));
    }
  }

  addEventListener("input", (event) => event.target.id === "prompt" && keep());
  addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement.id !== "composer") return;
    if (ctx.response.status < 300) storage.remove(prefix + ctx.sourceElement.dataset.draft);
  });
  addEventListener("submit", (event) => {
    if (!("signOut" in event.target.dataset)) return;
    for (const name of storage.names()) if (name.startsWith("draft:")) storage.remove(name);
  });
  restore();
})();
