// What is shown once goes with the page: nothing is left for the back button, whatever the browser keeps.
addEventListener("pagehide", () => {
  for (const shown of document.querySelectorAll("[data-shown-once]")) shown.remove();
});
