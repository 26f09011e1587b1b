// What was typed and not sent survives reloads, errors and an expired session, for each person and conversation.
(() => {
  const user = document.body.dataset.user;
  const prefix = `draft:${user}:`;
  const field = () => document.getElementById("prompt");
  const key = () => prefix + field().form.dataset.draft;
  const { storage } = window;

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
  restore();
})();
