// Files come by the button, by drag and drop onto the page, and by paste; attach.js takes them.
(() => {
  const canTake = () => Boolean(document.getElementById("chips"));
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0; // of elements that files have been dragged into

  function bring(files, words = "") {
    dispatchEvent(new CustomEvent("files:brought", { detail: { files, words } }));
  }
  function show(isOver) {
    if (!isOver) depth = 0;
    document.documentElement.toggleAttribute("data-dropping", isOver && canTake());
  }

  addEventListener("click", ({ target }) => target.closest?.("#attach") && document.getElementById("files").click());
  addEventListener("change", ({ target }) => {
    if (target.id !== "files") return;
    bring([...target.files]);
    target.value = ""; // they are uploaded one by one, and not with the form
  });
  addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    const isElsewhere = event.target.closest?.("input, textarea:not(#prompt)");
    if (!canTake() || isElsewhere || !files.length || types.includes("text/plain")) return; // cells come as text and picture
    event.preventDefault();
    bring([...files].map((file) => (file.name === "image.png" ? new File([file], "Pasted image.png", { type: file.type }) : file)));
  });

  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (hasFiles(event) && --depth <= 0) show(false);
  });
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault(); // else the browser would leave the page and show the file
    event.dataTransfer.dropEffect = canTake() ? "copy" : "none";
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    show(false);
    if (!canTake()) return;
    const isFolder = [...event.dataTransfer.items].map((item) => Boolean(item.webkitGetAsEntry?.()?.isDirectory));
    const files = [...event.dataTransfer.files].filter((_, place) => !isFolder[place]);
    bring(files, isFolder.includes(true) ? "A folder cannot be attached. Choose the files in it." : "");
  });
})();
