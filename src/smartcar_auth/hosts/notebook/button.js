// The page's part of ConnectButton: opens the window in the click, shows how things stand, hands over what comes.
// It decides nothing: the kernel owns the attempt and checks every answer. Shipped as written.

const HOSTED_PAGE = "https://javascript-sdk.smartcar.com"; // Smartcar's redirect page; compared whole
const PATIENCE = 3000; // an idle kernel answers within milliseconds

// What the page's part says by itself; how an attempt ended is said by the kernel.
const words = {
  opening: "Waiting for this notebook’s kernel.",
  waiting: "Waiting for you in the other window.",
  closed: "Still connecting?",
  linked: "Open Connect with this link.",
  scan: "Open Connect with this link, or scan the code with your phone.",
  busy: "The kernel doesn’t answer. If a cell is running, it will when that has ended; else run this cell again.",
  reopen: "Reopen",
  cancel: "Cancel",
  open: "Open Connect",
  unreachable: "The last page doesn’t load?",
  address: "Address of the last page",
  use: "Use",
  describe: "Opens a new window",
  code: "QR code of Connect’s address",
};

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

// Size and place as in the official SDK: 30 % x 75 % of the screen, centred on the page's window.
const features = () => {
  const width = screen.width * 0.3;
  const height = screen.height * 0.75;
  const left = screenX + (outerWidth - width) / 2;
  return `popup,width=${width},height=${height},left=${left},top=${screenY + (outerHeight - height) / 8}`;
};

// Not at once: the last page is just arriving, and Chromium now and then loses a close() that meets it for good.
const shut = (popup) => setTimeout(() => popup?.close(), 300);

function render({ model, el }) {
  const get = (name) => model.get(name);
  const click = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(36)).join(""); // this view
  const stop = new AbortController();
  let popup = null; // the window that this view has opened
  let asked = false; // a click waits for the kernel's word
  let gone = 0; // how often the window has read closed
  let patience;

  const action = (text, onclick) => make("button", { type: "button", className: "smartcar-action", onclick }, text);
  const button = make("button", { type: "button", className: "smartcar-button" }, get("label"));
  const status = make("span", { className: "smartcar-status" });
  status.setAttribute("role", "status");
  const reopen = action(words.reopen, () => open());
  const cancel = action(words.cancel, () => {
    if (asked && get("status") !== "waiting") settle();
    tell("cancel");
  });
  const link = make("a", { target: "_blank", rel: "noopener noreferrer", className: "smartcar-link" }, words.open);
  const code = make("img", { alt: words.code, className: "smartcar-code" });
  const field = make("input", { type: "text", autocomplete: "off", spellcheck: false });
  field.setAttribute("aria-label", words.address);
  field.placeholder = words.address;
  const form = make("form", {}, field, make("button", { className: "smartcar-action" }, words.use));
  const fold = make("details", { className: "smartcar-paste" }, make("summary", {}, words.unreachable), form);
  const way = make("p", { className: "smartcar-way" });
  const root = make("div", { className: "smartcar-connect" },
    make("div", { className: "smartcar-row" }, button, status, reopen, cancel), link, code, fold, way);
  el.append(root);
  if (!get("as_link")) button.title = words.describe;

  const tell = (kind, more) => {
    clearTimeout(patience);
    const lost = () => { status.textContent = words.busy; };
    patience = setTimeout(lost, PATIENCE);
    try {
      model.send({ kind, click, origin: location.origin, ...more });
    } catch {
      lost(); // the kernel was restarted, and knows nothing of this widget
    }
  };

  const show = () => {
    const waiting = get("status") === "waiting" || asked;
    const transport = get("transport");
    const closed = waiting && !asked && gone > 1;
    root.dataset.status = waiting ? "waiting" : get("status");
    button.textContent = get("label");
    way.textContent = get("way");
    const now = asked ? words.opening : closed ? words.closed : link.href ? (code.src ? words.scan : words.linked) : words.waiting;
    status.textContent = (!asked && get("text")) || (waiting ? now : "");
    cancel.hidden = !waiting;
    reopen.hidden = !closed;
    link.hidden = !waiting || !link.href;
    code.hidden = !waiting || !code.src;
    fold.hidden = !waiting || asked || transport === "hosted" || transport === "device";
    if (transport === "paste") fold.open = true;
  };

  // Ours is over, however it ended.
  const settle = () => {
    asked = false;
    shut(popup);
    popup = null;
    field.value = "";
    for (const [element, name] of [[link, "href"], [code, "src"]]) element.removeAttribute(name);
    show();
    // Focus returns, unless the person moved on.
    const { activeElement, body } = document;
    if (activeElement === body || root.contains(activeElement)) button.focus({ preventScroll: true });
  };

  // Nothing may be awaited before the window is there: browsers allow one only in the click itself.
  const open = () => {
    shut(popup);
    popup = get("as_link") ? null : window.open("", "", features());
    gone = 0;
    asked = true;
    if (popup) {
      popup.document.title = get("label");
      popup.document.documentElement.style.colorScheme = "light dark";
      popup.document.body.append(words.opening);
    }
    show();
    tell("open", { blocked: !popup && !get("as_link") });
  };

  const go = ({ url, code: image }) => {
    asked = false;
    if (!popup) {
      link.href = url;
      if (image) code.src = image;
    } else if (!popup.closed) popup.location.replace(url);
    show();
    if (!popup) link.focus({ preventScroll: true });
  };

  button.onclick = () => {
    if (popup && !popup.closed) popup.focus();
    else open();
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    if (field.value.trim()) tell("paste", { text: field.value });
    field.value = "";
  };
  // Hosts of notebooks have keys of their own.
  for (const name of ["keydown", "keyup", "keypress"]) {
    field.addEventListener(name, (event) => event.stopPropagation());
  }
  addEventListener("message", ({ origin, source, data }) => {
    // A source is missing when the window has closed meanwhile.
    const ours = popup && (source === popup || (!source && popup.closed));
    if (origin === HOSTED_PAGE && ours && get("transport") === "hosted") tell("message", { origin, message: data });
  }, { signal: stop.signal });

  const hear = (message) => {
    clearTimeout(patience);
    if (message.kind === "go" && message.click === click && asked) go(message);
    else if (message.kind === "end") {
      settle();
      model.set("ends", get("ends") + 1); // marimo runs the cells that use the button when a page changes it
      model.save_changes();
    } else show();
  };
  const changed = () => {
    clearTimeout(patience);
    show();
  };
  const traits = ["label", "status", "text", "transport", "way", "as_link"].map((name) => `change:${name}`);
  model.on("msg:custom", hear);
  for (const name of traits) model.on(name, changed);
  const watch = setInterval(() => {
    if (get("status") !== "waiting" || asked || link.href || gone > 1) return;
    // A hint and no verdict: a severed window reads closed while the person still signs in.
    if (!popup || popup.closed) gone++;
    if (gone > 1) show();
  }, 500);
  show();
  tell("hello");

  return () => {
    stop.abort();
    clearInterval(watch);
    clearTimeout(patience);
    model.off("msg:custom", hear);
    for (const name of traits) model.off(name, changed);
    shut(popup);
  };
}

export default { render };
