// The forms below a message that make another version of it: keys, Cancel, and what was typed survives a reload.
(() => {
  const prefix = `edit:${document.body.dataset.user}:`;
  const formOf = (element) => element.closest?.(".version-form");
  const { storage } = window;

  // Back to the message as it was. On a page of its own the form has no message, and the link leads there.
  function close(form, isMeant) {
    const message = form.closest(".message");
    if (!message) return false;
    if (isMeant && form.dataset.editDraft) storage.remove(prefix + form.dataset.editDraft);
    form.remove();
    message.querySelector("[id^=edit-link], [id^=retry-link]")?.focus();
    return true;
  }

  function restore(form) {
    const draft = storage.get(prefix + form.dataset.editDraft);
    const field = form.querySelector("textarea");
    if (draft !== null && field.value === field.defaultValue) field.value = draft;
    if (document.activeElement === field) field.setSelectionRange(field.value.length, field.value.length);
  }

  addEventListener("input", ({ target }) => {
    const id = target.name === "prompt" && formOf(target)?.dataset.editDraft;
    if (id) storage.set(prefix + id, target.value);
  });
  addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-cancel]");
    // Escape, which presses it too, may be a mistake: what was typed is there again when the form is.
    if (link && !event.ctrlKey && !event.metaKey && close(formOf(link), event.isTrusted)) event.preventDefault();
  });
  addEventListener("keydown", (event) => {
    const form = formOf(event.target);
    if (!form || event.isComposing || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  addEventListener("htmx:after:swap", () => {
    for (const form of document.querySelectorAll(".version-form[data-edit-draft]:not([data-restored])")) {
      form.dataset.restored = "";
      if (!form.querySelector("[aria-invalid]")) restore(form);
    }
    document.querySelector(".version-place:focus-within")?.scrollIntoView({ block: "nearest" });
  });
  addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    const id = ctx.sourceElement.dataset?.editDraft;
    if (id && ctx.response.status < 300) storage.remove(prefix + id);
  });
})();
