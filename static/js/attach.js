// Files for a message: uploaded two at a time, each with its chip; the message goes when all of them are in.
(() => {
  const AT_ONCE = 2;
  const MEGABYTE = 1_000_000;
  const form = () => document.getElementById("composer");
  const list = () => document.getElementById("chips");
  const chips = () => [...(list()?.children ?? [])];
  const part = (chip, name) => chip.querySelector(`.chip-${name}`);
  const token = () => form().querySelector("[name=csrfmiddlewaretoken]").value;
  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  const uploads = new Map(); // what is on its way or has failed, by its chip
  let isWaiting = false; // the message goes when the last upload is in

  function say(words, isCalm = false) {
    const place = document.getElementById("composer-problem");
    place.toggleAttribute("data-calm", isCalm);
    if (place.textContent !== words) place.textContent = words;
  }
  function announce(words) {
    document.getElementById("announcer").textContent = words;
  }
  function size(bytes) {
    if (bytes < 999.5) return `${bytes} B`;
    if (bytes < 999_500) return `${Math.round(bytes / 1000)} KB`;
    return `${bytes < 9_950_000 ? (bytes / MEGABYTE).toFixed(1) : Math.round(bytes / MEGABYTE)} MB`;
  }
  function parse(text) {
    const page = new DOMParser().parseFromString(`<template>${text}</template>`, "text/html");
    return page.querySelector("template").content.querySelector(".chip");
  }

  // What can be told before a byte is sent. The server looks again, and into the file.
  function problemOf(file) {
    const ending = /\.[^.]*$/.exec(file.name)?.[0].toLowerCase() ?? "";
    const accepted = document.getElementById("files").accept.split(",").map((entry) => entry.trim());
    const most = Number(list().dataset.megabytes);
    if (ending && !accepted.includes(ending)) return `Files of type ${ending} cannot be attached.`;
    if (!file.size) return "The file is empty.";
    if (file.size > most * MEGABYTE) return `It is larger than ${most} MB, the most that a file may have.`;
    return "";
  }

  function add(files) {
    const { model, takes } = answerer();
    if (model && !takes.trim()) {
      const doesAnother = [...document.querySelectorAll("[data-takes]")].some((offer) => offer.dataset.takes.trim());
      return say(`${model} takes no files.${doesAnother ? " Another assistant here does." : ""}`);
    }
    const room = Math.max(Number(list().dataset.most) - chips().length, 0);
    for (const file of files.slice(0, room)) {
      const chip = blank(file.name);
      uploads.set(chip, { chip, file, request: null });
      list().append(chip);
      const problem = problemOf(file);
      if (problem) fail(chip, problem);
      else stand(chip, "waiting", `Waiting · ${size(file.size)}`);
    }
    const left = files.length - Math.min(room, files.length);
    say(left ? `One message can carry ${list().dataset.most} files. ${left} more ${left === 1 ? "was" : "were"} left out.` : "");
    work();
  }

  function blank(name) {
    const chip = document.getElementById("chip").content.querySelector(".chip").cloneNode(true);
    part(chip, "name").textContent = part(chip, "name").title = name;
    part(chip, "remove").ariaLabel = `Remove ${name}`;
    part(chip, "retry").ariaLabel = `Retry ${name}`;
    part(chip, "progress").ariaLabel = `Upload of ${name}`;
    return chip;
  }
  function stand(chip, state, words) {
    chip.dataset.state = state;
    part(chip, "facts").textContent = words;
  }
  function fail(chip, reason, canRetry = false) {
    stand(chip, "failed", reason);
    part(chip, "retry").hidden = !canRetry;
    announce(`${uploads.get(chip).file.name}: ${reason}`);
  }

  function work() {
    const jobs = [...uploads.values()];
    const running = jobs.filter(({ request }) => request).length;
    const waiting = jobs.filter(({ chip }) => chip.dataset.state === "waiting");
    for (const job of waiting.slice(0, AT_ONCE - running)) upload(job);
    keep();
    goOn();
  }

  function upload(job) {
    const { chip, file } = job;
    const request = (job.request = new XMLHttpRequest());
    const progress = part(chip, "progress");
    const body = new FormData();
    body.append("file", file, file.name);
    part(chip, "retry").hidden = true;
    progress.value = 0;
    stand(chip, "uploading", `0 of ${size(file.size)}`);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      progress.value = loaded / total;
      stand(chip, "uploading", `${size(Math.min(loaded, file.size))} of ${size(file.size)}`);
    });
    request.upload.addEventListener("load", () => {
      progress.removeAttribute("value");
      stand(chip, "uploading", "Checking");
    });
    request.addEventListener("loadend", () => {
      job.request = null;
      if (uploads.get(chip) === job) end(job, request); // or it was removed
      work();
    });
    request.open("POST", list().dataset.attach);
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("HX-Request", "true"); // a sign-in page would be no answer
    request.send(body);
  }

  function end({ chip, file }, { status, responseText }) {
    const answer = [200, 422, 503].includes(status) ? parse(responseText) : null;
    if (status === 200 && answer) {
      uploads.delete(chip);
      chip.replaceWith(answer);
      announce(`${file.name} is attached`);
    } else if (answer) fail(chip, part(answer, "facts").textContent, status === 503);
    else if (status === 0) fail(chip, "The upload was cut off.", true);
    else if (status === 401) fail(chip, "You were signed out. Sign in again in another tab, then retry.", true);
    else if (status === 403) fail(chip, "This page was out of date. Reload it and attach the file again.");
    else if (status === 413) fail(chip, "The file is too large.");
    else fail(chip, "Something went wrong on the server.", true);
  }

  function remove(chip) {
    const job = uploads.get(chip);
    const next = chip.nextElementSibling ?? chip.previousElementSibling;
    uploads.delete(chip);
    job?.request?.abort();
    const address = part(chip, "check")?.dataset.remove;
    if (address) fetch(address, { method: "POST", headers: { "X-CSRFToken": token(), "HX-Request": "true" } }).catch(() => {});
    chip.remove();
    (next ? part(next, "remove") : document.getElementById("prompt")).focus({ preventScroll: true });
    say("");
    work();
  }

  // What the model that would answer cannot be given is said beside the file, before anything is sent.
  function answerer() {
    return (document.querySelector("[name=assistant]:checked") ?? document.getElementById("answerer"))?.dataset ?? {};
  }
  function judge() {
    const { model, takes } = answerer();
    if (!model) return;
    for (const chip of chips()) {
      const check = part(chip, "check");
      if (!check) continue;
      const isImage = /^image\//.test(check.dataset.contentType);
      const fits = takes.split(" ").includes(isImage ? "images" : "files");
      chip.toggleAttribute("data-unfit", !fits);
      check.dataset.facts ||= part(chip, "facts").textContent;
      part(chip, "facts").textContent = fits ? check.dataset.facts : `${model} cannot ${isImage ? "be shown images" : "read files"}`;
    }
  }

  // Why the message cannot go yet; "" if it can.
  function hindrance() {
    judge();
    const failed = chips().filter(({ dataset }) => dataset.state === "failed").length;
    if (failed) return `${plural(failed, "file")} could not be attached. Retry or remove ${failed === 1 ? "it" : "them"}, then send.`;
    const unfit = chips().find((chip) => chip.hasAttribute("data-unfit"));
    if (unfit) return `${part(unfit, "facts").textContent}. Remove “${part(unfit, "name").textContent}” or choose another assistant.`;
    return "";
  }
  function goOn() {
    judge();
    if (!isWaiting) return;
    const words = hindrance();
    if (!words && uploads.size) say(`Uploading ${plural(uploads.size, "file")}. The message goes when ${uploads.size === 1 ? "it is" : "they are"} in.`, true);
    else {
      isWaiting = false;
      say(words);
      if (!words) form().requestSubmit();
    }
  }

  // Files that are in survive a reload, as the text does.
  const key = () => `draft:${document.body.dataset.user}:${form().dataset.draft}:files`;
  function keep() {
    if (!list()) return;
    const files = chips().filter((chip) => part(chip, "check")).map((chip) => ({
      id: part(chip, "check").value,
      name: part(chip, "name").textContent,
      ...part(chip, "check").dataset,
      facts: part(chip, "check").dataset.facts ?? part(chip, "facts").textContent,
    }));
    try {
      if (files.length) localStorage.setItem(key(), JSON.stringify(files));
      else localStorage.removeItem(key());
    } catch {
      // storage is switched off or full
    }
  }
  function restore() {
    if (chips().length) return;
    try {
      for (const file of JSON.parse(localStorage.getItem(key()) ?? "[]")) list().append(draw(file));
    } catch {
      // storage is switched off
    }
  }
  function draw({ id, name, facts, contentType, remove, picture }) {
    const chip = blank(name);
    const check = document.createElement("input");
    Object.assign(check, { type: "checkbox", name: "attachments", value: id, checked: true, className: "chip-check" });
    Object.assign(check.dataset, { contentType, remove, picture });
    stand(chip, "ready", facts);
    part(chip, "progress").replaceWith(check);
    part(chip, "retry").remove();
    if (picture) {
      const image = Object.assign(new Image(40, 40), { src: picture, alt: "" });
      part(chip, "tile").replaceChildren(image);
    }
    return chip;
  }

  addEventListener("click", ({ target }) => {
    const chip = target.closest?.("#chips .chip");
    if (chip && target.closest(".chip-remove")) remove(chip);
    else if (chip && target.closest(".chip-retry")) {
      stand(chip, "waiting", `Waiting · ${size(uploads.get(chip).file.size)}`);
      part(chip, "retry").hidden = true;
      say("");
      work();
    }
  });
  addEventListener("change", ({ target }) => target.name === "assistant" && judge());
  addEventListener("files:brought", ({ detail: { files, words } }) => {
    add(files);
    if (words) say(words);
  });

  // Before htmx sees it.
  addEventListener(
    "submit",
    (event) => {
      if (event.target !== form()) return;
      const words = hindrance();
      if (!words && !uploads.size) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      isWaiting = !words;
      if (words) say(words);
      else goOn();
    },
    true,
  );
  addEventListener("input", ({ target }) => {
    if (target.id !== "prompt" || !isWaiting) return;
    isWaiting = false; // what is being written is not sent half
    say("");
  });
  let leaving = []; // the chips whose files go with the message that is on its way
  addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement.id === "composer") leaving = chips().filter((chip) => part(chip, "check")?.checked);
  });
  let later = []; // ready since the message left: they go with the next one
  addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement.id !== "composer" || ctx.response.status >= 300) return;
    for (const chip of leaving) chip.remove();
    later = chips().filter((chip) => part(chip, "check"));
    keep(); // what was sent is no draft any more
  });
  let shown = form();
  addEventListener("htmx:after:swap", () => {
    if (!list() || form() === shown) return;
    shown = form();
    for (const chip of [...later.splice(0), ...uploads.keys()]) if (!chip.isConnected) list().append(chip);
    work();
  });
  addEventListener("beforeunload", (event) => {
    if ([...uploads.values()].some(({ request }) => request)) event.preventDefault();
  });

  if (!list()) return;
  restore();
  work();
})();
