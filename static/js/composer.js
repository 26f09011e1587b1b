// The composer: grows with the text, Enter sends (or breaks, by preference), waits while a message is on its way.
(() => {
  const form = () => document.getElementById("composer");
  const field = () => document.getElementById("prompt");
  let isWaiting = false; // the words under the field say that an answer is being written
  const canGrowItself = CSS.supports("field-sizing", "content");

  const grow = (textarea) => {
    if (canGrowItself) return;
    textarea.style.height = "auto";
    textarea.style.height = `${textarea.scrollHeight}px`;
  };
  const count = (textarea) => {
    const label = document.getElementById("prompt-count");
    const limit = Number(textarea.dataset.limit);
    const length = [...textarea.value.trim()].length; // code points, as the server counts
    label.hidden = length < 0.8 * limit;
    label.textContent = `${length.toLocaleString("en-GB")} of ${limit.toLocaleString("en-GB")} characters`;
    label.toggleAttribute("data-over", length > limit);
  };
  const update = () => {
    const textarea = field();
    if (!textarea) return;
    grow(textarea);
    count(textarea);
  };
  const say = (words) => {
    const place = document.getElementById("composer-problem");
    if (place) place.textContent = words;
  };
  const enterSends = () => {
    try {
      return localStorage.getItem("enter") !== "breaks";
    } catch {
      return true;
    }
  };

  addEventListener("input", (event) => {
    if (event.target.id !== "prompt") return;
    say("");
    update();
  });
  addEventListener("draft:restored", update);
  addEventListener("keydown", (event) => {
    if (event.target.id !== "prompt" || event.key !== "Enter" || event.isComposing) return;
    if (event.shiftKey === enterSends() || event.altKey) return;
    event.preventDefault();
    if (document.getElementById("stop-form")) {
      isWaiting = true;
      say("An answer is being written. Wait for it, or stop it; your text is kept.");
    } else if (event.target.value.trim() && !event.target.readOnly) form().requestSubmit();
  });
  addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-suggestion]");
    if (!link || !field() || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    link.closest(".offer").querySelector("input").checked = true;
    field().value = link.textContent;
    field().dispatchEvent(new Event("input", { bubbles: true }));
    field().focus();
  });

  addEventListener("htmx:after:swap", () => {
    if (isWaiting && !document.getElementById("stop-form")) isWaiting = say("");
  });

  // A button that was pressed goes away with what it did; its focus must not start again at the top of the page.
  const isFine = () => matchMedia("(pointer: fine)").matches; // on a touch screen the keyboard would cover the page
  let losesFocus = false;
  addEventListener("htmx:before:request", ({ target }) => {
    const active = document.activeElement;
    if (target.matches?.("form")) losesFocus = target.contains(active) || active.form === target;
  });
  addEventListener("htmx:finally:request", () => {
    if (losesFocus && document.activeElement === document.body && isFine()) field()?.focus({ preventScroll: true });
    losesFocus = false;
  });

  // While a message is on its way the text must not change: the answer to the request replaces the composer.
  addEventListener("htmx:before:request", (event) => {
    if (event.target !== form()) return;
    field().readOnly = true;
    say("");
  });
  addEventListener("htmx:finally:request", (event) => {
    if (field()) field().readOnly = false;
    const { ctx } = event.detail;
    if (ctx?.sourceElement?.id !== "composer") return;
    const status = ctx.response?.status;
    if (status === undefined) say("The server could not be reached. Your text is kept: send it again.");
    else if (status === 413 || status === 400) say("The message was not accepted; it may be too long. Your text is kept.");
    else if (status === 403) say("This page was out of date. Your text is kept: reload the page and send it again.");
    else if (status === 404) say("This conversation is not there any more. Your text is kept in this box.");
    else if (status >= 500) say("Something went wrong on the server. Your text is kept: send it again in a moment.");
    update();
  });

  addEventListener("DOMContentLoaded", () => {
    const choices = document.getElementById("enter-preference");
    choices.querySelector(`[value="${enterSends() ? "sends" : "breaks"}"]`).checked = true;
    choices.addEventListener("change", (event) => {
      try {
        localStorage.setItem("enter", event.target.value);
      } catch {
        // Enter goes on sending
      }
    });
    if (form()?.dataset.draft === "new" && isFine()) field().focus({ preventScroll: true });
    update();
  });
  // A message that began a conversation leads to #latest of its page, where the next one is written. Going to a
  // fragment takes the focus away, and browsers go there once more when the page is complete.
  addEventListener("load", () => {
    const isFree = document.activeElement === document.body;
    if (location.hash === "#latest" && isFree && isFine()) setTimeout(() => field()?.focus({ preventScroll: true }));
  });
})();
