// Prints the conversation. A link whose words are its address need not say it twice on paper.
(() => {
  addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-print]");
    if (!button) return;
    button.closest("details").open = false;
    print();
  });
  addEventListener("beforeprint", () => {
    for (const link of document.querySelectorAll(".prose a[href]")) {
      link.toggleAttribute("data-bare", [link.href, link.getAttribute("href")].includes(link.textContent.trim()));
    }
  });
})();
