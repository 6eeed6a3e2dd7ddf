// Comfort for pages that work without it: the brand list narrows while one types, and an error
// message gets the focus so that a screen reader begins there. No state, no network.

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
  document.getElementById("brand-count").textContent =
    words.length === 0 ? "" : shown === 1 ? "1 brand found" : `${shown} brands found`;
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
