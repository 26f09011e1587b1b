// Draws the rail anew when it may have changed: the window is looked at again, an answer ended, something was pinned.
(() => {
  const list = document.getElementById("history");
  const MOST = 500; // lines that the server draws at once; a rail unrolled further stays as it is
  const PAUSE = 3_000; // ms between two looks of the same reason
  const WATCH = 15_000; // ms between two looks while an answer is being written elsewhere
  let askedAt = Date.now();
  let later = 0;

  async function ask() {
    const count = list.querySelectorAll(".rail-day:not(#rail-pinned) li").length;
    if (!list.dataset.news || count > MOST || document.hidden || !navigator.onLine) return;
    askedAt = Date.now();
    const response = await fetch(`${list.dataset.news}&count=${count}`, { headers: { "HX-Request": "true" } });
    if (!response.ok) return; // signed out, say: whoever does something here is told
    const text = await response.text();
    await htmx.swap({ sourceElement: document.body, target: list, swap: "innerMorph", text });
  }
  function look(delay) {
    clearTimeout(later);
    later = setTimeout(() => ask().catch(() => {}), delay);
  }
  function lookAgain() {
    if (Date.now() - askedAt > PAUSE) look(0);
  }

  addEventListener("focus", lookAgain);
  document.addEventListener("visibilitychange", lookAgain);
  addEventListener("answer:ended", () => look(1_000)); // what ended is seen by then, and its title is made
  addEventListener("history:changed", () => look(0));
  setInterval(() => {
    const isElsewhere = list.querySelector("a:not([aria-current]) .rail-running");
    if (isElsewhere && Date.now() - askedAt > WATCH) look(0);
  }, WATCH);
})();
