// The official SDK beside ours, for the table of what both do. `told` is what its onComplete was given.
window.original = {
  told: [],
  make(options) {
    const onComplete = (error, code, state, virtualKeyUrl, userId, externalId) => {
      const kind = error && (Object.keys(Smartcar).find((name) => error instanceof Smartcar[name]) ?? "Error");
      const vehicleInfo = error?.vehicleInfo ?? null;
      original.told.push(error ? { kind, vehicleInfo } : { code, state, virtualKeyUrl, userId, externalId });
    };
    original.smartcar = new Smartcar({ applicationId: "an-application", onComplete, ...options });
  },
  // "" or what it throws.
  refusal(options) {
    try {
      new Smartcar({ onComplete(error, code) {}, ...options }).unmount();
      return "";
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  },
  state: (link) => new URL(original.smartcar.getAuthUrl(link)).searchParams.get("state"),
  reset() {
    original.smartcar?.unmount();
    original.told.length = 0;
  },
};
// A message as the browser hands it over, to whoever listens.
window.deliver = (data, origin) => dispatchEvent(new MessageEvent("message", { data, origin }));
// The arguments of every window.open, which opens nothing meanwhile.
window.opened = (act) => {
  const [open, calls] = [window.open, []];
  window.open = (...given) => (calls.push(given), null);
  act();
  window.open = open;
  return calls;
};
