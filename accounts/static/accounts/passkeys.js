/* <form data-passkey="get|create" data-options="/address/">: asks us for a challenge and the browser for a passkey,
   and sends the answer as the form's field `credential`. Where a browser has no passkeys the form stays hidden. */
"use strict";

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const descriptors = (list) => (list || []).map((each) => ({ ...each, id: toBytes(each.id) }));

function forBrowser(options) {
  const read = { ...options, challenge: toBytes(options.challenge) };
  if (options.user) read.user = { ...options.user, id: toBytes(options.user.id) };
  if (options.excludeCredentials) read.excludeCredentials = descriptors(options.excludeCredentials);
  if (options.allowCredentials) read.allowCredentials = descriptors(options.allowCredentials);
  return read;
}

function forServer(credential) {
  const { response } = credential;
  const said = { clientDataJSON: toText(response.clientDataJSON) };
  if (response.attestationObject) {
    said.attestationObject = toText(response.attestationObject);
    said.transports = response.getTransports ? response.getTransports() : [];
  } else {
    said.authenticatorData = toText(response.authenticatorData);
    said.signature = toText(response.signature);
    said.userHandle = response.userHandle ? toText(response.userHandle) : null;
  }
  const attachment = credential.authenticatorAttachment;
  return JSON.stringify({
    id: credential.id, rawId: toText(credential.rawId), type: credential.type, response: said,
    ...(attachment ? { authenticatorAttachment: attachment } : {}),
  });
}

async function options(form) {
  const answer = await fetch(form.dataset.options, { method: "POST", body: new FormData(form), credentials: "same-origin" });
  if (answer.redirected) { window.location = answer.url; return null; }
  if (!answer.ok) {
    let said = {};
    try { said = await answer.json(); } catch { /* not a problem document */ }
    throw new Error(said.detail || form.dataset.failed);
  }
  return forBrowser(await answer.json());
}

function say(form, text) {
  const place = form.querySelector("[data-says]");
  place.textContent = text;
  place.hidden = !text;
}

async function ceremony(form) {
  const publicKey = await options(form);
  if (!publicKey) return;
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey })
    : await navigator.credentials.get({ publicKey });
  form.elements.credential.value = forServer(credential);
  form.submit();
}

for (const form of window.PublicKeyCredential ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  for (const also of document.querySelectorAll(`[data-shown-with="${form.id}"]`)) also.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    say(form, "");
    try {
      await ceremony(form);
    } catch (error) {
      const known = { NotAllowedError: form.dataset.cancelled, InvalidStateError: form.dataset.known, SecurityError: form.dataset.failed };
      say(form, known[error.name] || (error.name === "Error" ? error.message : form.dataset.failed));
    }
    button.disabled = false;
  });
}
