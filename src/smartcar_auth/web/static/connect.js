// Smartcar Connect in a pop-up: `connect()`, `<smartcar-connect>`, and what runs on the callback page.
// The server owns the attempt, windows are views of it. The outcome comes by postMessage, BroadcastChannel or the
// status, whichever is first.

const NAME = "smartcar-connect";

/** What the element says, by error code and state. Change entries to translate them. */
export const words = {
  label: "Connect your car",
  opened: "Waiting for you in the other window.",
  closed: "Still connecting?",
  granted: "Connected.",
  failed: "Your car was not connected. Please try again.",
  access_denied: "You did not give access. Nothing was connected.",
  vehicle_incompatible: "This car can’t be connected.",
  invalid_subscription: "The car’s subscription isn’t active.",
  no_vehicles: "There is no car in that account.",
  cancelled: "Cancelled. Nothing was connected.",
  timeout: "That took too long. Please try again.",
  popup_blocked: "Your browser blocked the window.",
  handler_failed: "You gave access, but the app could not finish. Please try again.",
  reopen: "Reopen",
  cancel: "Cancel",
  here: "Continue in this tab",
  describe: "Opens a new window",
};

// As in the original SDK: 30 % x 75 % of the screen, centred on the page's window.
const features = (given = "") => {
  const number = (name, usual) => {
    const value = parseFloat(given.split(`${name}=`)[1]);
    return isNaN(value) ? usual : value;
  };
  const width = number("width", screen.width * 0.3);
  const height = number("height", screen.height * 0.75);
  const left = number("left", screenX + (outerWidth - width) / 2);
  const top = number("top", screenY + (outerHeight - height) / 8);
  return `popup,width=${width},height=${height},left=${left},top=${top}`;
};

// `closed` is called when the window reads closed: a hint, for under Cross-Origin-Opener-Policy it does while the
// person still signs in.
export class Attempt {
  constructor({ id, popup, launch, signal, returnTo, windowOptions, attemptSeconds, closed } = {}) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    this.id = id || btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").slice(0, 22);
    this.done = new Promise((resolve, reject) => Object.assign(this, { resolve, reject, closed, looks: 0 }));
    this.stop = new AbortController();
    if (!launch) return this.fail("invalid_configuration", { message: "The launch address is missing." });
    if (signal?.aborted) return this.fail("cancelled");
    this.url = new URL(launch, document.baseURI);
    const on = { signal: this.stop.signal };
    signal?.addEventListener("abort", () => this.cancel(), on);
    for (const name of ["focus", "visibilitychange"]) addEventListener(name, () => this.ask(), on);
    addEventListener("message", (event) => {
      if (event.origin === this.url.origin && event.source === this.popup) this.receive(event.data);
    }, on);
    this.channel = new BroadcastChannel(`${NAME}-${this.id}`);
    this.channel.onmessage = (event) => this.receive(event.data);
    this.until = Date.now() + (+attemptSeconds || 3600) * 1000;
    this.timer = setInterval(() => this.watch(), 500);
    const url = new URL(this.url);
    const query = { attempt: this.id, display: "popup", origin: location.origin };
    if (returnTo) query.return_to = returnTo;
    if (/\/connect\.js$/.test(import.meta.url)) query.module = "connect.js";
    for (const name in query) url.searchParams.set(name, query[name]);
    // Nothing may be awaited before this line: browsers allow a window only in the click itself.
    this.popup = popup || open(url, "", features(windowOptions));
    if (!this.popup) this.fail("popup_blocked");
  }

  async fetch(action, options) {
    try {
      const signal = AbortSignal.timeout(9999); // a dead network must not keep a person who cancels
      return await (await fetch(new URL(action, this.url), { credentials: "include", signal, ...options })).json();
    } catch {
      return {}; // offline, or no connect-src: other roads work
    }
  }

  async ask() {
    this.settle(await this.fetch(`status/${this.id}`));
  }

  async watch() {
    if (Date.now() > this.until) return this.cancel("timeout");
    if (!this.popup.closed) return;
    const look = this.looks++;
    if (look % 10 === 0) await this.ask();
    if (look === 0) this.closed?.();
  }

  // Ends the attempt on the server too, so that an answer on its way is not believed afterwards.
  async cancel(code = "cancelled") {
    if (this.ending) return;
    this.ending = true;
    const answer = await this.fetch(`cancel/${this.id}?reason=${code}`, { method: "POST", keepalive: true });
    this.ending = answer.outcome !== "pending"; // pending: Connect's answer was first and is being handled
    this.settle(answer);
    if (this.ending) this.fail(code);
  }

  fail(code, data) {
    this.settle({ outcome: "failed", code, data });
  }

  // Without an outcome it is from redirect.js: the server knows.
  receive(message) {
    if (message?.name !== NAME || message.attempt !== this.id) return;
    if (message.outcome) this.settle(message);
    else this.ask();
  }

  settle({ outcome, code, data = null }) {
    if (outcome !== "granted" && outcome !== "failed") return;
    clearInterval(this.timer);
    this.stop.abort();
    this.channel?.close();
    setTimeout(() => this.popup?.close(), 300); // two closes at once get lost
    const end = { outcome, attempt: this.id, data };
    if (outcome === "granted") return this.resolve(end);
    const error = new Error(data?.message || words[code] || words.failed);
    this.reject(Object.assign(error, end, { name: "SmartcarConnectError", code }));
  }
}

/**
 * Open Connect, in a click handler before any `await`. Options: launch (the launch route), signal, returnTo,
 * windowOptions, attemptSeconds, and closed, called when the window reads closed: ask, or abort `signal`.
 * Resolves to {outcome, attempt, data}; rejects with a SmartcarConnectError that has a `code`.
 */
export const connect = async (options) => new Attempt(options).done;

const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const STYLE = `
:host { display: inline-block; font: 600 1rem/1.3 system-ui, sans-serif }
:host([hidden]) { display: none }
button { font: inherit; cursor: pointer; border-radius: .6em; border: 1px solid }
:focus-visible { outline-offset: 2px }
[part~=button] {
  padding: .8em 1.4em; border-color: transparent;
  color: var(--smartcar-connect-color, #fff); background: var(--smartcar-connect-background, #0b57d0);
}
[part=button]:hover { filter: brightness(1.1) }
[part~=busy] { filter: brightness(.8) }
div { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .6em; font-weight: 400 }
div > :not(:empty) { margin-top: .6em }
div button { padding: .5em .8em; color: inherit; background: none }
a { color: inherit }
`;

class SmartcarConnect extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const slot = make("slot", {}, words.label);
    // The link that works without script becomes the label.
    slot.onslotchange = () => {
      const link = this.querySelector("a");
      link?.replaceWith(...link.childNodes);
    };
    this.button = make("button", { type: "button", part: "button", ariaDescription: words.describe }, slot);
    this.status = make("span", { role: "status" });
    this.actions = ["reopen", "cancel"].map((name) => make("button", { type: "button", hidden: true }, words[name]));
    this.here = make("a", { hidden: true }, words.here);
    root.append(this.button, make("div", {}, this.status, ...this.actions, this.here));
    this.addEventListener("click", (event) => {
      const path = event.composedPath();
      if (path[0] === this.here) return;
      event.preventDefault(); // the element may stand in a link
      if (path[0] === this.actions[0]) this.reopen();
      else if (path[0] === this.actions[1]) this.attempt?.cancel();
      else if (path[0] !== this && !path.includes(this.button)) return;
      else if (!this.attempt) this.open();
      else if (!this.attempt.popup.closed) this.attempt.popup.focus();
    });
    this.tell("ready");
  }

  show(state, text) {
    const closed = state === "closed";
    this.button.part.toggle("busy", closed || state === "opened");
    for (const action of this.actions) action.hidden = !closed;
    this.here.hidden = state !== "popup_blocked";
    this.status.textContent = text || words[state] || words.failed;
  }

  // The old window may be out of reach, so its attempt ends on the server; if granted just then, that counts.
  reopen() {
    const old = this.attempt;
    this.open();
    const next = this.attempt;
    old.done.then((result) => next.settle(result), () => {});
    old.cancel();
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(`smartcar-${name}`, { detail, bubbles: true, composed: true }));
  }

  open() {
    const get = (name) => this.getAttribute(name) || undefined;
    const attempt = new Attempt({
      launch: get("launch"),
      returnTo: get("return-to"),
      windowOptions: get("window-options"),
      attemptSeconds: get("attempt-seconds"),
      closed: () => this.attempt === attempt && this.show("closed"),
    });
    this.follow(attempt);
    this.show("opened");
    if (attempt.popup) this.tell("opened", { outcome: "pending", attempt: attempt.id, data: null });
  }

  async follow(attempt) {
    this.attempt = attempt;
    const detail = await attempt.done.catch(({ outcome, attempt, code, data }) => ({ outcome, attempt, code, data }));
    if (this.attempt !== attempt) return; // reopened: the next attempt speaks for both
    this.attempt = null;
    if (detail.code === "popup_blocked") {
      const here = new URL(attempt.url);
      here.searchParams.set("return_to", this.getAttribute("return-to") || location.pathname + location.search);
      this.here.href = here;
    }
    this.show(detail.code || detail.outcome, detail.data?.message);
    // Focus returns, unless the person moved on.
    const { activeElement, body } = document;
    if (activeElement === body || this.matches(":focus-within")) this.button.focus({ preventScroll: true });
    this.tell(detail.outcome, detail);
  }
}

// Later in this turn: a module that imports `words` changes them first. Some hosts load modules twice.
queueMicrotask(() => customElements.get(NAME) || customElements.define(NAME, SmartcarConnect));

// On the callback page: tell the page that waits, by both roads, and close; where the window stays, dress it.
const { smartcarAttempt: attempt, outcome, code, data, origin, sheet } = document.documentElement.dataset;
if (attempt) {
  // A reload needs the state and nothing else; the code need not stay in the address bar.
  const state = new URLSearchParams(location.search).get("state");
  if (state) history.replaceState(null, "", `?state=${encodeURIComponent(state)}`);
  if (origin) {
    const message = { name: NAME, attempt, outcome, code: code || null, data: JSON.parse(data) };
    opener?.postMessage(message, origin);
    new BroadcastChannel(`${NAME}-${attempt}`).postMessage(message);
    // A window given up stays and says so; closing would look like success.
    if (!/^(cancelled|timeout)$/.test(code)) close();
    setTimeout(() => document.head.append(make("link", { rel: "stylesheet", href: sheet })), 200);
  }
}
