// Follows an answer while the reader is at the end; otherwise nothing moves and a button leads there.
(() => {
  const root = document.documentElement;
  const thread = document.getElementById("thread");
  const jump = document.getElementById("jump");
  const distance = () => root.scrollHeight - innerHeight - scrollY;
  const toEnd = (behavior = "instant") => scrollTo({ top: root.scrollHeight, behavior });
  let follows = !location.hash.startsWith("#message-");
  let before = 0;

  const look = () => {
    root.toggleAttribute("data-scrolled", scrollY > 4);
    if (!thread) return;
    // Far from the end without having gone up: more text came in since the page was scrolled.
    if (distance() < 48) follows = true;
    else if (scrollY < before) follows = false;
    before = scrollY;
    jump.hidden = distance() < 240;
  };
  addEventListener("scroll", look, { passive: true });
  if (!thread) return;

  // A wheel or finger that goes up wins over text that arrives in the same moment.
  addEventListener("wheel", (event) => event.deltaY < 0 && (follows = false), { passive: true });
  addEventListener("resize", () => follows && toEnd());
  new ResizeObserver(() => (follows ? toEnd() : look())).observe(thread);
  new MutationObserver((changes) => {
    const said = changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.querySelector?.(".message-user")));
    if (said) toEnd();
  }).observe(thread, { childList: true });
  jump.addEventListener("click", () => {
    toEnd(matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth");
    document.getElementById("prompt")?.focus({ preventScroll: true });
  });
  if (follows) toEnd();
  look();
})();
