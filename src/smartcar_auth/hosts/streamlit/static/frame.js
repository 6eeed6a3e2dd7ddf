// The button in an iframe, for a Streamlit without components v2: its messages, and what differs in a frame.
import show from "./button.js";

const send = (type, more) => parent.postMessage({ isStreamlitMessage: true, type: `streamlit:${type}`, ...more }, "*");

// Kept for the whole of the component's life, as Python gets one value, not one per name.
let value = {};
const set = (name, given) => {
  value = { ...value, [name]: given };
  send("setComponentValue", { value, dataType: "json" });
};

const THEME = { primaryColor: "primary-color", textColor: "text-color", backgroundColor: "background-color", font: "font" };

addEventListener("message", ({ source, data }) => {
  if (source !== parent || data.type !== "streamlit:render") return;
  const { style } = document.documentElement;
  for (const name in THEME) style.setProperty(`--st-${THEME[name]}`, data.theme?.[name] ?? "");
  style.color = data.theme?.textColor ?? "";
  show({
    data: data.args.data,
    parentElement: document.body,
    setStateValue: set,
    setTriggerValue: (name) => set(name, Date.now()),
    page: parent.document,
  });
});

// The frame's sandbox lets nothing in it replace the page; a link of the page's own may.
addEventListener("click", (event) => {
  const link = event.composedPath()[0];
  if (link.localName !== "a") return;
  event.preventDefault();
  const own = parent.document.createElement("a");
  own.href = link.href;
  own.click();
});

new ResizeObserver(() => send("setFrameHeight", { height: document.documentElement.offsetHeight })).observe(document.body);
send("componentReady", { apiVersion: 1 });
