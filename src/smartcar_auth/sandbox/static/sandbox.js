// Comfort for pages that work without it: the brand list narrows while one types, and an error
// message gets the focus so that a screen reader begins there. And what only a page can do: tell its
// opener, cut it off, close itself. No state, no network.

const { message, appOrigin, answer, cuts, closes } = document.body.dataset;

if (cuts !== undefined) window.opener = null;

// Where there is no redirect URI, Connect itself tells the page that opened it.
if (message && window.opener) {
  window.opener.postMessage(JSON.parse(message), appOrigin);
  window.close();
}

if (closes !== undefined) window.close(); // browsers refuse it where no script opened the window

const link = document.getElementById("answer-link");
if (answer === "once" && closes === undefined) location.replace(link.href);
if (answer === "twice") link.addEventListener("click", () => window.open(link.href));

const copy = document.getElementById("copy-button");
if (copy) {
  const address = document.getElementById("answer-address");
  address.addEventListener("focus", () => address.select());
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(address.value);
    copy.textContent = copy.dataset.done;
  });
}

const field = document.getElementById("brand-search");

function narrow() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const list of document.querySelectorAll(".brand-list")) {
    let here = 0;
    for (const row of list.children) {
      row.hidden = !words.every((word) => row.dataset.search.includes(word));
      if (!row.hidden) here += 1;
    }
    if (list.parentElement.id === "brand-later") list.parentElement.hidden = here === 0;
    shown += here;
  }
  document.getElementById("brand-nothing").hidden = shown > 0;
  const count = document.getElementById("brand-count");
  count.textContent =
    words.length === 0 ? "" : shown === 1 ? count.dataset.one : count.dataset.many.replace("{count}", shown);
}

if (field) {
  document.getElementById("brand-search-form").classList.add("live");
  field.addEventListener("input", narrow);
  // The server narrowed the list already if the page was asked for with ?q=: then it can only be
  // widened by asking again, which pressing Enter does.
  if (!new URLSearchParams(location.search).get("q")) {
    document.getElementById("brand-search-form").addEventListener("submit", (event) => event.preventDefault());
    narrow(); // a browser that goes back restores what was typed
  }
}

if (!document.querySelector("[autofocus]")) document.getElementById("complaint")?.focus();
