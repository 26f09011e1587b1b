// Tells screen readers once that an answer ended, and never moves the focus.
(() => {
  const WORDS = {
    completed: "Answer finished",
    incomplete: "Answer cut off",
    refused: "The model refused to answer",
    stopped: "Answer stopped",
    interrupted: "Answer interrupted",
    failed: "The answer failed",
  };
  const thread = document.getElementById("thread");
  const announcer = document.getElementById("announcer");
  if (!thread) return;
  const awaited = new Set();
  const look = () => {
    for (const { id, dataset } of thread.querySelectorAll(".message-assistant")) {
      if (!(dataset.status in WORDS)) awaited.add(id);
      else if (awaited.delete(id)) {
        announcer.textContent = WORDS[dataset.status];
        dispatchEvent(new Event("answer:ended"));
      }
    }
  };
  look();
  new MutationObserver((changes) => {
    const isStructural = changes.some(({ target }) => target === thread || target.parentNode === thread);
    if (isStructural) look();
  }).observe(thread, { childList: true, subtree: true });
})();
