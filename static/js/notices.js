// A notice that was closed stays closed, for this person in this browser.
(() => {
  const key = ({ dataset }) => `closed:${document.body.dataset.user}:${dataset.notice}`;
  const isClosed = (notice) => {
    try {
      return localStorage.getItem(key(notice)) !== null;
    } catch {
      return false; // storage is switched off
    }
  };
  for (const notice of document.querySelectorAll("[data-notice]")) notice.hidden = isClosed(notice);

  addEventListener("click", ({ target }) => {
    const closed = target.closest?.("[data-notice-close]")?.closest("[data-notice]");
    if (!closed) return;
    for (const notice of document.querySelectorAll("[data-notice]")) {
      if (notice.dataset.notice === closed.dataset.notice) notice.hidden = true;
    }
    document.getElementById("prompt")?.focus({ preventScroll: true }); // the button that had the focus is gone
    try {
      localStorage.setItem(key(closed), "");
    } catch {
      // it lasts for this page
    }
  });
})();
