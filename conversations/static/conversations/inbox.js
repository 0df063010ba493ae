/* The inbox beyond htmx: shortcuts, the open row, where the thread is scrolled to. Everything works without. */
"use strict";

const element = (id) => document.getElementById(id);
const rowList = () => [...document.querySelectorAll("#rows .row")];
const isTyping = (target) => target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");

/* Where the thread is: at its end when it opens, and when it was there before something came. */
let wasAtEnd = true;
const scroll = () => element("thread-scroll");
const isAtEnd = () => !scroll() || scroll().scrollHeight - scroll().scrollTop - scroll().clientHeight < 80;
function toEnd() { if (scroll()) scroll().scrollTop = scroll().scrollHeight; }
if (!location.search.includes("until=")) toEnd();

function markOpenRow() {
  const open = element("panes")?.dataset.conversation;
  for (const row of rowList()) {
    if (open && row.id === `row-${open}`) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  const kept = document.querySelector("#list-live input[name=open]");
  if (kept && open) kept.value = open;
}

const isOurOwn = (event) => !event.detail.requestConfig?.headers?.["HX-Polling"];
let heightBefore = 0, isOwnAnswer = false;
document.addEventListener("htmx:beforeSwap", (event) => {
  isOwnAnswer = isOurOwn(event);
  if (event.detail.xhr.status === 409) { event.detail.shouldSwap = event.detail.target?.id === "news"; event.detail.isError = !event.detail.shouldSwap; }
  wasAtEnd = isAtEnd();
  heightBefore = scroll()?.scrollHeight ?? 0;
});
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const head = event.detail.target;
  const isUsed = head?.id === "thread-head" && (head.querySelector("details[open], .htmx-request") || head.contains(document.activeElement));
  if (isUsed && !isOwnAnswer) event.detail.shouldSwap = false;
});
document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target;
  if (target?.id === "older" && scroll()) scroll().scrollTop += scroll().scrollHeight - heightBefore;
  if (target?.id === "news" && (wasAtEnd || isOurOwn(event))) toEnd();
  if (target?.id === "list-live") markOpenRow();
});
/* htmx lends new panes the classes of the old ones until they have settled. */
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id === "panes") { markOpenRow(); toEnd(); element("thread-title")?.focus({ preventScroll: true }); }
  if (event.detail.target?.id !== "news" || !isOurOwn(event) || document.activeElement !== document.body) return;
  (element("composer-text") ?? element("thread-title"))?.focus({ preventScroll: true });
});
element("rows")?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });

/* A filter is chosen: look at once. */
document.addEventListener("change", (event) => event.target.closest("form[data-submits]")?.requestSubmit());

/* Menus made of <details> close when one clicks elsewhere. */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

function go(step) {
  const rows = rowList();
  if (!rows.length) return;
  const here = rows.findIndex((row) => row === document.activeElement || row.getAttribute("aria-current"));
  const next = rows[Math.min(Math.max(here + step, 0), rows.length - 1)];
  next.focus();
  if (document.querySelector(".with-thread") && next.getAttribute("aria-current") === null) next.click();
}
function write(kind) {
  const choice = document.querySelector(`#composer input[data-shortcut="${kind}"]`);
  if (choice) choice.checked = true;
  element("composer-text")?.focus();
}
function open(id) {
  const menu = element(id);
  if (!menu) return;
  menu.open = true;
  menu.querySelector("select, button:not(summary)")?.focus();
}
const SHORTCUTS = {
  j: () => go(1), k: () => go(-1), r: () => write("r"), n: () => write("n"),
  e: () => open("menu-resolve"), a: () => open("menu-assign"), "?": () => element("shortcuts")?.showModal(),
};
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "composer-text") {
    event.preventDefault();
    event.target.form.requestSubmit();
    return;
  }
  if (event.key === "Escape") {
    if (event.target.id === "composer-text") event.target.blur();
    for (const menu of document.querySelectorAll("details.menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const act = SHORTCUTS[event.key];
  if (act) { event.preventDefault(); act(); }
});

/* What was typed in the last moment before one leaves is kept as well. */
document.addEventListener("input", (event) => { if (event.target.id === "composer-text") event.target.dataset.unkept = ""; });
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.elt?.id === "composer-text" && event.detail.successful) delete event.detail.elt.dataset.unkept; });
window.addEventListener("pagehide", () => {
  const text = element("composer-text");
  if (text && "unkept" in text.dataset) navigator.sendBeacon(text.getAttribute("hx-post"), new FormData(text.form));
});
