// The same for all pages here: when the button works, eight attempts without anybody clicking, the report, and on to the
// next page of the list in the session's storage.
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const known = [];
let resolve;

window.go = () => {
  const [next, ...others] = JSON.parse(sessionStorage.pages);
  sessionStorage.pages = JSON.stringify(others);
  const [page, where = ""] = next?.split("-") ?? [];
  if (page) location.assign(`/${page}.html#${where}`);
};

window.elsewhere = location.origin.replace("localhost", "127.0.0.1");
window.redirectOrigin = location.hash === "#elsewhere" ? elsewhere : location.origin;
window.finished = (problem) => {
  known.push(problem || Date.now() / 1000);
  resolve();
};
window.ready = async () => {
  const ready = performance.now();
  await fetch("/ready", { method: "POST" });
  await pause(1500);
  for (let count = 0; count < 8; count++) {
    const over = new Promise((done) => (resolve = done));
    attempt();
    await over;
    await pause(600);
  }
  await fetch("/report", { method: "POST", body: JSON.stringify({ ready, added: window.added ?? 0, known }) });
  go();
};
