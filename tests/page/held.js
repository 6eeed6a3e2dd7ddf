// Before anything else in the page: counts what is held there.
window.held = { listeners: 0, timers: 0, channels: 0 };
{
  const listeners = new WeakMap();
  const known = (target, type) => {
    const types = listeners.get(target) ?? listeners.set(target, {}).get(target);
    return (types[type] ??= new Set());
  };
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (type, listener, ...more) {
    const set = known(this ?? window, type);
    if (!set.has(listener)) set.add(listener), held.listeners++;
    return add.call(this ?? window, type, listener, ...more);
  };
  EventTarget.prototype.removeEventListener = function (type, listener, ...more) {
    if (known(this ?? window, type).delete(listener)) held.listeners--;
    return remove.call(this ?? window, type, listener, ...more);
  };
  const { setInterval: start, clearInterval: stop } = window;
  window.setInterval = (...given) => (held.timers++, start(...given));
  window.clearInterval = (timer) => (held.timers--, stop(timer));
  window.BroadcastChannel = class extends BroadcastChannel {
    constructor(name) {
      super(name);
      held.channels++;
    }
    close() {
      super.close();
      held.channels--;
    }
  };
}
// `act` with windows that are none and answer at once; afterwards `held.windows` is how many are still open.
window.answering = () => {
  held.windows = 0;
  window.open = (address) => {
    const state = new URL(address).searchParams.get("state");
    const data = { name: "SmartcarAuthMessage", code: "a-code", state };
    held.windows++;
    queueMicrotask(() => dispatchEvent(new MessageEvent("message", { data, origin: location.origin })));
    return { closed: false, focus() {}, close: () => held.windows-- };
  };
};
