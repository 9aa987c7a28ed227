// The one script of the console: it asks a passkey. Every page works without it, by code.
"use strict";

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const described = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function ask(path, fields, csrf) {
  const headers = { "Content-Type": "application/json" };
  if (csrf) headers["X-CSRF-Token"] = csrf;
  const reply = await fetch(path, { method: "POST", headers, body: JSON.stringify(fields) });
  const said = await reply.json();
  if (!said.ok) throw new Error([said.error.message, said.error.fix].filter(Boolean).join(": "));
  return said.data;
}

async function asserted(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: described(options.allowCredentials),
  };
  const made = await navigator.credentials.get({ publicKey });
  const response = made.response;
  return JSON.stringify({
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    clientExtensionResults: {},
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : null,
    },
  });
}

async function created(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: described(options.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  return JSON.stringify({
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    clientExtensionResults: {},
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
    },
  });
}

function failed(form, error) {
  const place = form.querySelector(".failure");
  place.textContent = error.name === "NotAllowedError" ? "The passkey was not used." : error.message;
  place.hidden = false;
}

for (const button of document.querySelectorAll("button.passkey")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const form = button.form;
    button.disabled = true;
    try {
      const { act, target } = button.dataset;
      const options = act === "sign_in"
        ? await ask("/operator/sign-in/passkey/options", {})
        : await ask("/operator/factor", { act, target }, form.elements.csrf.value);
      form.elements.assertion.value = await asserted(options);
      if (form.elements.code) form.elements.code.value = "";
      form.submit();
    } catch (error) {
      failed(form, error);
      button.disabled = false;
    }
  });
}

const enrol = document.getElementById("enrol");
if (enrol) {
  const button = enrol.querySelector("button");
  button.disabled = false;
  enrol.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const { csrf, name, code } = enrol.elements;
    try {
      const options = await ask("/operator/passkeys/options", { code: code.value }, csrf.value);
      const credential = await created(options);
      await ask("/operator/passkeys", { name: name.value, credential }, csrf.value);
      location.assign("/security");
    } catch (error) {
      failed(enrol, error);
      button.disabled = false;
    }
  });
}
