/* Says on document.body what has changed: iva:inbox, iva:conversation {id}, iva:conversation-<id>.
   From the live stream; while there is none, by asking every few seconds. */
"use strict";

(() => {
  const { liveStream, liveChanges, liveSince } = document.currentScript.dataset;
  const PATIENCE = 3000, ASK_EVERY = 5000, FIRST_PAUSE = 1000, LONGEST_PAUSE = 30000;
  let stream = null, since = liveSince, number = null, pause = FIRST_PAUSE;
  let wasAdmitted = false, asking = null, isAsking = false, impatience = null, again = null, leaving = false;

  /* What the page shows of it. Only a change is said aloud, and not the first connection. */
  function show(state) {
    for (const shown of document.querySelectorAll("[data-live-state]")) {
      if (shown.dataset.liveState === state) continue;
      shown.dataset.liveState = state;
      let word = "";
      for (const each of shown.querySelectorAll("[data-live-word]")) {
        each.hidden = each.dataset.liveWord !== state;
        if (!each.hidden) word = each.textContent;
      }
      const said = document.querySelector("[data-live-said]");
      if (said && (state !== "live" || said.textContent)) said.textContent = word;
    }
  }

  /* The conversations this page waits for: data-live-conversation, or named in an hx-trigger. */
  function waitedFor() {
    const ids = new Set();
    for (const each of document.querySelectorAll("[data-live-conversation]")) ids.add(each.dataset.liveConversation);
    for (const each of document.querySelectorAll('[hx-trigger*="iva:conversation-"]')) {
      for (const found of each.getAttribute("hx-trigger").matchAll(/iva:conversation-([0-9a-f-]{36})/g)) ids.add(found[1]);
    }
    return ids;
  }

  function tell(name, detail) { document.body.dispatchEvent(new CustomEvent(name, { detail })); }

  /* The first of a burst at once, its last one afterwards: nobody looks at each, and nobody misses the end.
     (htmx's own throttle forgets what comes while it waits.) */
  const resting = new Map();
  function tellNowAndThen(name, detail, rest) {
    if (resting.has(name)) { resting.set(name, true); return; }
    tell(name, detail);
    resting.set(name, false);
    setTimeout(() => {
      const hasMore = resting.get(name);
      resting.delete(name);
      if (hasMore) tellNowAndThen(name, detail, rest);
    }, rest);
  }

  /* ids null: more than can be named. */
  function changed(ids) {
    tellNowAndThen("iva:inbox", {}, 2000);
    for (const id of ids ?? waitedFor()) {
      tell("iva:conversation", { id });
      tellNowAndThen(`iva:conversation-${id}`, { id }, 700);
    }
  }

  /* Asking */
  async function ask() {
    if (isAsking) return;
    isAsking = true;
    try {
      const address = number === null ? liveChanges : `${liveChanges}?since=${number}`;
      const answer = await fetch(address, { headers: { Accept: "application/json" }, redirect: "manual", cache: "no-store" });
      if (answer.ok) took(await answer.json());
      else show("offline");
      if (answer.type === "opaqueredirect" || answer.status === 403) leave();
    } catch { show("offline"); }
    isAsking = false;
  }
  function took(found) {
    wasAdmitted = true;
    number = found.since;
    if (asking) show("polling");
    if (found.everything || found.conversations.length) changed(found.everything ? null : found.conversations);
  }
  function startAsking() {
    if (asking || leaving) return;
    number = null;
    asking = setInterval(ask, ASK_EVERY);
    ask();
  }
  function stopAsking() { clearInterval(asking); asking = null; }

  /* Listening */
  function listen() {
    clearTimeout(again);
    if (leaving || !window.EventSource) return startAsking();
    stream = new EventSource(`${liveStream}?since=${since}`, { withCredentials: true });
    impatience ??= setTimeout(startAsking, PATIENCE);
    stream.addEventListener("hello", (event) => heard(event, state));
    stream.addEventListener("state", (event) => heard(event, state));
    stream.addEventListener("inbox", (event) => heard(event, () => {}));
    stream.addEventListener("conversation", (event) => heard(event, (said) => changed(said.ids)));
    stream.addEventListener("end", (event) => heard(event, () => lost(true)));
    stream.addEventListener("error", () => lost(false));
  }
  function heard(event, act) { since = event.lastEventId || since; act(JSON.parse(event.data)); }
  function state(said) {
    wasAdmitted = true;
    pause = FIRST_PAUSE;
    clearTimeout(impatience);
    impatience = null;
    if (!said.live) return startAsking();
    stopAsking();
    show("live");
  }
  function lost(inOrder) {
    stream.close();
    stream = null;
    const wait = inOrder ? Math.random() * FIRST_PAUSE : pause * (0.5 + Math.random() / 2);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
    impatience ??= setTimeout(startAsking, PATIENCE);
    again = setTimeout(listen, wait);
  }
  /* Whoever may not look any more does not go on seeing what was there: the address answers with the way in. */
  function leave() {
    stop();
    if (wasAdmitted) location.replace(location.pathname + location.search);
  }
  function stop() {
    leaving = true;
    clearTimeout(again);
    clearTimeout(impatience);
    impatience = null;
    stopAsking();
    if (stream) stream.close();
    stream = null;
  }

  /* A page that is left closes its stream; one that comes back from the browser's memory listens again. */
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", (event) => { if (event.persisted) { leaving = false; listen(); } });
  window.addEventListener("online", () => { if (!stream && !leaving) listen(); });
  listen();
})();
