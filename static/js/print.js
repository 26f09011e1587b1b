// Prints the conversation; what is folded on the screen stays folded on paper.
addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-print]");
  if (!button) return;
  button.closest("details").open = false;
  print();
});
