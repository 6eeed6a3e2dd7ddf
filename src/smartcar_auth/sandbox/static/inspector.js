// Keeps the list of requests up to date while somebody looks at it: asks for the page again and takes over what is new.

const SECONDS = 2;
const button = document.getElementById("live-button");
const status = document.getElementById("live-status");
const list = document.getElementById("log");

const live = () => button.getAttribute("aria-pressed") === "true";

async function look() {
  let text;
  try {
    text = await (await fetch(location.href)).text();
  } catch {
    status.textContent = "The sandbox doesn't answer.";
    return;
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = [...page.querySelectorAll("#log > li[id]")].filter((row) => !document.getElementById(row.id));
  if (fresh.length > 0) list.querySelector(".log-nothing")?.remove();
  list.prepend(...fresh);
  status.textContent = fresh.length === 0 ? "" : fresh.length === 1 ? "1 new request" : `${fresh.length} new requests`;
}

function again() {
  setTimeout(async () => {
    if (live() && !document.hidden) await look();
    again();
  }, SECONDS * 1000);
}

button.hidden = false;
button.addEventListener("click", () => button.setAttribute("aria-pressed", String(!live())));
again();
