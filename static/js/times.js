// Times: the exact one in the reader's own zone on hover, and relative ones kept true while the page is open.
(() => {
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
  const words = (age) => {
    const minutes = Math.floor(age / 60_000);
    if (minutes < 1) return "just now";
    if (minutes < 60) return `${minutes} min ago`;
    return minutes < 24 * 60 ? `${Math.floor(minutes / 60)} h ago` : null;
  };
  const update = () => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const moment = new Date(time.dateTime);
      const relative = words(Date.now() - moment);
      if (relative && time.textContent !== relative) time.textContent = relative;
      const title = exact.format(moment);
      if (time.title !== title) time.title = title;
    }
  };
  update();
  setInterval(update, 30_000);
})();
