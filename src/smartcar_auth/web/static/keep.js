// A button that keeps its attempt in the tab: an end that came while the page was not there is told when it is back.
// The page was reloaded, or built anew, or the person went on in this tab. Loads connect.js, for hosts that need both.

import { Attempt } from "./connect.js";

const NAME = "smartcar-connect";

const storage = (what, ...given) => {
  try {
    return sessionStorage[`${what}Item`](...given);
  } catch {} // switched off: then nothing is kept
};

const keep = async (element) => {
  const key = `${NAME}-${element.getAttribute("keep")}`;
  element.addEventListener("smartcar-opened", ({ detail }) => storage("set", key, detail.attempt));
  element.addEventListener("smartcar-granted", () => storage("remove", key));
  element.addEventListener("smartcar-failed", ({ detail }) => {
    if (detail.code !== "popup_blocked") return storage("remove", key);
    // The link that goes on in this tab does so under this attempt's name.
    storage("set", key, detail.attempt);
    const here = new URL(element.here.href);
    here.searchParams.set("attempt", detail.attempt);
    element.here.href = here;
  });

  const id = storage("get", key);
  if (!id) return;
  const launch = element.getAttribute("launch");
  const address = new URL(`status/${id}`, new URL(launch, document.baseURI));
  const known = await fetch(address, { credentials: "include" }).then((answer) => answer.json(), () => ({}));
  if (element.attempt) return; // the person was faster
  if (known.outcome === "unknown") return storage("remove", key);

  const attempt = new Attempt({
    id,
    launch,
    attemptSeconds: element.getAttribute("attempt-seconds"),
    popup: { closed: true, close() {} }, // if there is one still, it is out of reach
  });
  attempt.ask = async () => {
    const answer = await attempt.fetch(`status/${id}`);
    if (answer.outcome === "unknown") attempt.fail("timeout"); // the server knew it and doesn't any more
    else attempt.settle(answer);
  };
  element.follow(attempt);
  if (known.outcome === "pending" || !known.outcome) element.show("closed");
  attempt.settle(known);
};

// Elements with the attribute `keep`, a name that is unique on the site: those of now and those to come.
for (const element of document.querySelectorAll(`${NAME}[keep]`)) if (element.shadowRoot) keep(element);
document.addEventListener("smartcar-ready", (event) => {
  const element = event.composedPath()[0];
  if (element.hasAttribute("keep")) keep(element);
});
