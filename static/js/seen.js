// Notes that the end of the conversation was seen; marks the tab's title when an answer ended while it was hidden.
(() => {
  const MARK = "● ";
  const PAUSE = 5_000; // ms between two looks while the tab is hidden: its stream is closed then
  const RUNNING = ["queued", "streaming"];
  const thread = document.getElementById("thread");
  const end = document.getElementById("latest");
  const title = document.querySelector("title");
  if (!end?.dataset.seen) return;
  const last = () => [...thread.querySelectorAll(".message")].at(-1);
  const isRunning = (message) => RUNNING.includes(message?.dataset.status);
  let isShown = false; // the end is on the screen
  let told = ""; // the message that was last told of, and how it stood

  function tell() {
    const message = last();
    if (!message || document.hidden || !isShown || isRunning(message)) return;
    const state = `${message.id} ${message.dataset.status}`;
    if (state === told) return;
    told = state;
    const body = new URLSearchParams({ last: message.id.replace("message-", "") });
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    fetch(end.dataset.seen, { method: "POST", body, headers: { "X-CSRFToken": token, "HX-Request": "true" } }).catch(() => (told = ""));
  }
  new IntersectionObserver(
    (entries) => {
      isShown = entries.at(-1).isIntersecting;
      tell();
    },
    { rootMargin: "0px 0px -64px" }, // what is behind the composer is not on the screen
  ).observe(end);

  let plain = title.textContent;
  let isMarked = false;
  function draw() {
    const wanted = (isMarked ? MARK : "") + plain;
    if (title.textContent !== wanted) title.textContent = wanted;
  }
  function mark(isOn) {
    isMarked = isOn;
    draw();
  }
  new MutationObserver(() => {
    if (title.textContent === MARK + plain) return;
    plain = title.textContent; // the conversation was given another title
    draw();
  }).observe(title, { childList: true });

  let wasRunning = isRunning(last());
  new MutationObserver(() => {
    if (wasRunning && document.hidden && !isRunning(last())) mark(true);
    wasRunning = isRunning(last());
    tell();
  }).observe(thread, { childList: true, subtree: true, attributeFilter: ["data-status"] });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) mark(false);
    tell();
  });

  async function look(message) {
    const response = await fetch(message.dataset.poll, { headers: { "HX-Request": "true" } });
    if (!response.ok || !document.hidden) return;
    const page = new DOMParser().parseFromString(`<template>${await response.text()}</template>`, "text/html");
    const fresh = page.querySelector("template").content.getElementById(message.id);
    if (fresh && !isRunning(fresh) && document.hidden) mark(true); // it is drawn when the tab is looked at
  }
  setInterval(() => {
    const message = last();
    if (document.hidden && !isMarked && isRunning(message) && message.dataset.poll) look(message).catch(() => {});
  }, PAUSE);
})();
