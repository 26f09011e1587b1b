// Keeps running answers alive: says when the line is cut, and asks for the answer where its stream is blocked.
(() => {
  const QUIET = 10_000; // ms without an event after which the answer is asked for
  const PAUSE = 3_000; // ms between two such questions
  const bar = document.getElementById("connection");
  const states = new WeakMap(); // of each running article: is its stream open, when did it last speak
  const running = () => document.querySelector("[data-poll]");
  const stateOf = (article) => {
    if (!states.has(article)) states.set(article, { isOpen: false, polls: false, spokeAt: Date.now() });
    return states.get(article);
  };

  function tell(words) {
    if (bar.textContent !== words) bar.textContent = words;
    bar.hidden = !words;
  }
  function tellConnection() {
    if (!navigator.onLine) tell("You are offline. What was said is kept; the page goes on when you are back.");
    else if (running() && stateOf(running()).isCut) tell("Reconnecting. The answer goes on being written meanwhile.");
    else tell("");
  }

  // A stream that is asked for and held back by a proxy must not be asked for again: browsers open six at most.
  addEventListener("htmx:before:request", ({ target }) => {
    if (target.dataset?.poll) stateOf(target).isAsked = true;
  });
  addEventListener("htmx:finally:request", ({ target }) => {
    if (target.dataset?.poll) stateOf(target).isAsked = false;
  });
  addEventListener("htmx:after:sse:connection", (event) => {
    Object.assign(stateOf(event.target), { isOpen: true, isCut: false });
    tellConnection();
  });
  addEventListener("htmx:before:sse:message", (event) => {
    const state = stateOf(event.target);
    if (state.polls) event.preventDefault(); // what a late stream says has been drawn already
    else state.spokeAt = Date.now();
  });
  addEventListener("htmx:sse:close", (event) => {
    if (event.target instanceof Element) stateOf(event.target).isOpen = false;
    tellConnection();
  });
  addEventListener("htmx:sse:error", (event) => {
    if (event.target instanceof Element) Object.assign(stateOf(event.target), { isCut: true });
    tellConnection();
  });
  addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.sourceElement?.hasAttribute?.("data-poll")) {
      stateOf(event.detail.ctx.sourceElement).isCut = true;
      tellConnection();
    }
  });
  addEventListener("htmx:after:swap", tellConnection);
  addEventListener("online", tellConnection);
  addEventListener("offline", tellConnection);

  async function ask(article) {
    const response = await fetch(article.dataset.poll, { headers: { "HX-Request": "true", "HX-Current-URL": location.href } });
    if (response.status === 401) location.href = response.headers.get("HX-Redirect");
    if (!response.ok || !article.isConnected) return;
    const text = await response.text();
    const fresh = new DOMParser().parseFromString(`<template>${text}</template>`, "text/html");
    draw(article, fresh.querySelector("template").content.getElementById(article.id), text);
  }

  function draw(article, fresh, text) {
    const state = stateOf(article);
    state.isCut = false;
    const parts = (element) => [...element.querySelectorAll(".blocks")];
    const length = (element) => parts(element).reduce((sum, part) => sum + part.textContent.length, 0);
    if (!fresh.hasAttribute("data-poll") || !(state.isOpen || state.isAsked)) {
      // Ended, or without a stream: the fresh article opens one of its own.
      htmx.swap({ sourceElement: document.body, target: article, swap: "outerHTML", text });
    } else if (length(fresh) > length(article)) {
      state.polls = true;
      const before = parts(article);
      parts(fresh).forEach((part, place) => before[place].replaceChildren(...part.childNodes));
      article.querySelector(".activity").textContent = fresh.querySelector(".activity").textContent;
    }
    tellConnection();
  }

  setInterval(() => {
    const article = running();
    if (!article || document.hidden || !navigator.onLine) return;
    const state = stateOf(article);
    const isQuiet = Date.now() - state.spokeAt > QUIET;
    const hasStream = state.isOpen || state.isAsked;
    if (state.polls || isQuiet || !hasStream) ask(article).catch(() => (state.isCut = true)).finally(tellConnection);
  }, PAUSE);
  tellConnection();
})();
