// The button in a Streamlit page: shows the element, and tells Python how an attempt ended.
// Shipped as written; Streamlit loads it as a component (v2), frame.js calls it in an iframe (v1).
// The element itself comes from the app's routes, so that there is one copy of it.

/**
 * Called at first and whenever Python gives other data.
 * data: key, label, and launch, the launch route with its query, or problem, what to say instead of a button;
 * refresh_seconds after which Python is asked for another launch address.
 * page is Streamlit's document; the button itself may be in a frame of it.
 */
export default ({ data, parentElement, setStateValue, setTriggerValue, page = document }) => {
  let button = parentElement.querySelector("smartcar-connect");
  if (!button) {
    button = document.createElement("smartcar-connect");
    for (const name of ["granted", "failed"]) {
      button.addEventListener(`smartcar-${name}`, ({ detail }) => button.told(detail));
    }
  }
  // A value, not a trigger: Streamlit keeps it, and sends it with whatever it sends next.
  button.told = (detail) => connected(page).then(() => setStateValue("ended", detail));
  clearTimeout(button.timer);
  if (data.refresh_seconds) {
    button.timer = setTimeout(() => setTriggerValue("expired", true), data.refresh_seconds * 1000);
  }
  if (data.problem) return say(parentElement, data.problem);
  if (button.textContent !== data.label) button.textContent = data.label;
  const launch = new URL(data.launch, page.location.origin);
  const { pathname, search } = page.location;
  const attributes = { launch, keep: data.key, "return-to": pathname + search };
  for (const name in attributes) button.setAttribute(name, attributes[name]);
  if (!button.parentNode) {
    parentElement.append(button);
    const module = new URL("keep.js", launch).href;
    import(module).catch(() => say(
      parentElement,
      `${module} does not answer, so there is no button. Does a proxy keep these routes to itself?`,
    ));
  }
  return () => clearTimeout(button.timer);
};

// Streamlit drops what is told while its connection is away, as on a phone whose page slept behind Connect's window.
const connected = async (page) => {
  const state = () => page.querySelector("[data-test-connection-state]")?.dataset.testConnectionState;
  while ((state() ?? "CONNECTED") !== "CONNECTED") await new Promise((resolve) => setTimeout(resolve, 200));
};

const say = (parent, problem) => {
  const words = document.createElement("p");
  words.setAttribute("role", "alert");
  words.textContent = problem;
  for (const old of parent.querySelectorAll("smartcar-connect, [role=alert]")) old.remove();
  parent.append(words);
};
