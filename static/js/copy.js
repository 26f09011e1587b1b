// Copy buttons: of a message, of a block of code, of the address.
(() => {
  async function copy(text, html) {
    if (navigator.clipboard && window.isSecureContext) {
      const parts = { "text/plain": new Blob([text], { type: "text/plain" }) };
      if (html) parts["text/html"] = new Blob([html], { type: "text/html" });
      return navigator.clipboard.write([new ClipboardItem(parts)]);
    }
    const area = document.createElement("textarea"); // plain http has no clipboard of its own
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  function show(button) {
    const label = button.querySelector("[data-copy-label]") ?? (button.querySelector("svg") ? null : button);
    const before = label?.textContent;
    if (label) label.textContent = "Copied";
    button.classList.add("is-copied");
    document.getElementById("announcer").textContent = "Copied";
    setTimeout(() => {
      if (label) label.textContent = before;
      button.classList.remove("is-copied");
    }, 1600);
  }

  // The text as it is read: without the captions and buttons of code blocks.
  function readable(message) {
    const body = message.querySelector(".prompt, .answer");
    const captions = [...body.querySelectorAll("figcaption")];
    for (const caption of captions) caption.hidden = true;
    const text = body.innerText;
    for (const caption of captions) caption.hidden = false;
    const clone = body.cloneNode(true);
    for (const caption of clone.querySelectorAll("figcaption")) caption.remove();
    return [text.trim(), clone.innerHTML];
  }

  addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy], [data-copy-message], [data-copy-text]");
    if (!button) return;
    if ("copyText" in button.dataset) await copy(button.dataset.copyText);
    else if ("copyMessage" in button.dataset) await copy(...readable(button.closest(".message")));
    else await copy(button.closest("figure").querySelector("code").textContent.replace(/\n$/, ""));
    show(button);
  });
})();
