/* What the pages of the dashboard do beyond htmx: menus, notices, shortcuts. No inline script anywhere. */
"use strict";

const notices = () => document.getElementById("notices");

function notice(text, kind) {
  const line = document.createElement("p");
  line.className = `notice ${kind}`;
  line.textContent = text;
  notices().append(line);
  setTimeout(() => line.remove(), 8000);
}

document.addEventListener("htmx:responseError", (event) => {
  let detail = notices().dataset.failed;
  try { detail = JSON.parse(event.detail.xhr.responseText).detail || detail; } catch { /* not a problem document */ }
  notice(detail, "error");
});
document.addEventListener("htmx:sendError", () => notice(notices().dataset.offline, "error"));

/* A form that was wrong comes back as 422 with its errors: show it. */
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 422) { event.detail.shouldSwap = true; event.detail.isError = false; }
});

/* <button data-opens="id" aria-controls="id">: opens and closes; Escape and a click outside close. */
function toggle(button, open) {
  const panel = document.getElementById(button.dataset.opens);
  if (!panel) return;
  panel.classList.toggle("open", open);
  button.setAttribute("aria-expanded", String(panel.classList.contains("open")));
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-opens]");
  if (button) return toggle(button);
  for (const opener of document.querySelectorAll('[data-opens][aria-expanded="true"]')) {
    if (!document.getElementById(opener.dataset.opens).contains(event.target)) toggle(opener, false);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const opener of document.querySelectorAll('[data-opens][aria-expanded="true"]')) { toggle(opener, false); opener.focus(); }
});

/* <button data-copies="id">: copies that element's text; <form data-asks="…"> asks before it is sent. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent.trim());
  notice(button.dataset.copied || "✓", "done");
});
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.asks;
  if (question && !window.confirm(question)) event.preventDefault();
}, true);
