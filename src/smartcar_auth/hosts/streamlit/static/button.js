// The button in a Streamlit page: shows the element, and tells Python how an attempt ended.
// Shipped as written; Streamlit loads it as a component (v2), frame.js calls it in an iframe (v1).
// The element itself comes from the app's routes, so that there is one copy of it.

// Streamlit drops what is told while its connection is away, as on a phone whose page slept behind Connect's window.
const connected = async (page) => {
  const state = () => page.querySelector("[data-test-connection-state]")?.dataset.testConnectionState;
  while ((state() ?? "CONNECTED") !== "CONNECTED") await new Promise((resolve) => setTimeout(resolve, 200));
};

/**
 * Called at first and whenever Python gives other data.
 * data: key, label, and launch, the launch route with its query, or problem, what to say instead of a button;
 * refresh_seconds after which Python makes the launch link anew.
 * setStateValue keeps a value that Python is sent again after a lost connection. returnTo, target and page are for a
 * button in a frame: where a flow without pop-up ends, and where it opens; page is Streamlit's document.
 */
export default ({ data, parentElement, setStateValue, setTriggerValue, returnTo, target, page = document }) => {
  const button = parentElement.querySelector("smartcar-connect")?.owner ?? new Button(parentElement);
  button.show(data, returnTo, target);
  button.tell = (detail) => connected(page).then(() => setStateValue("ended", detail));
  clearTimeout(button.timer);
  if (data.refresh_seconds) {
    button.timer = setTimeout(() => setTriggerValue("expired", true), data.refresh_seconds * 1000);
  }
  return () => button.leave();
};

class Button {
  constructor(parent) {
    this.element = document.createElement("smartcar-connect");
    this.element.owner = this;
    this.element.addEventListener("smartcar-opened", ({ detail }) => this.begin(detail.attempt));
    for (const name of ["granted", "failed"]) {
      this.element.addEventListener(`smartcar-${name}`, ({ detail }) => this.end(detail));
    }
    this.problem = document.createElement("p");
    this.problem.setAttribute("role", "alert");
    this.problem.hidden = true;
    parent.append(this.element, this.problem);
  }

  show({ key, label, launch, problem }, returnTo, target) {
    if (problem) return this.fail(problem);
    if (this.element.textContent !== label) this.element.textContent = label;
    this.element.setAttribute("launch", launch);
    if (returnTo) this.element.setAttribute("return-to", returnTo);
    this.target = target;
    this.launch = new URL(launch, location.origin);
    if (this.slot) return;
    this.slot = `smartcar-connect ${key}`;
    const module = new URL("connect.js", this.launch).href;
    import(module).catch(() => this.fail(
      `${module} is not there, so this button can't work. Does a proxy leave the routes of smartcar_auth out?`,
    ));
    if (sessionStorage.getItem(this.slot)) {
      this.wait();
      this.ask();
    }
  }

  fail(problem) {
    this.element.hidden = true;
    this.problem.hidden = false;
    this.problem.textContent = problem;
  }

  begin(attempt) {
    this.waiting?.abort();
    sessionStorage.setItem(this.slot, attempt);
  }

  end(detail) {
    this.waiting?.abort();
    sessionStorage.removeItem(this.slot);
    if (detail.code === "popup_blocked") this.goOn(detail.attempt);
    this.tell(detail);
  }

  // The element's link leads around a blocker. Under a name that this tab knows, its end is found afterwards.
  goOn(attempt) {
    const { here } = this.element;
    const url = new URL(here.href);
    url.searchParams.set("attempt", attempt);
    Object.assign(here, { href: url.href, target: this.target ?? "" });
    this.begin(attempt);
    this.wait();
  }

  // For an attempt whose page is gone: this tab was reloaded, or went to Connect itself.
  wait() {
    this.waiting = new AbortController();
    const { signal } = this.waiting;
    for (const name of ["focus", "visibilitychange"]) addEventListener(name, () => this.ask(), { signal });
  }

  async ask() {
    const { signal } = this.waiting;
    const attempt = sessionStorage.getItem(this.slot);
    try {
      const answer = await (await fetch(new URL(`status/${attempt}`, this.launch), { signal })).json();
      if (signal.aborted || !/^(granted|failed)$/.test(answer.outcome)) return;
      this.end({ ...answer, attempt });
    } catch {
      // offline, or somebody else told meanwhile
    }
  }

  leave() {
    clearTimeout(this.timer);
    this.waiting?.abort();
  }
}
