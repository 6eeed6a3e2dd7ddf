// The end of the pop-up in front-end mode: tells the page that opened it what Connect answered, and closes.
// Shipped as written: a classic script, for our redirect page and for an application's own. The message is that
// of Smartcar's redirect page, field for field, so the official SDK understands it.

{
  const TEXT = "You can close this window and go back to the app. If your car isn’t shown there, please start again.";
  // `smartcar-auth static` writes its settings here. Asking the document for them takes as long as all that follows.
  const BAKED = null;
  const script = () => document.currentScript ?? document.querySelector("script[data-smartcar-origins]");
  const { smartcarOrigins = "", smartcarSheet: sheet, smartcarText: text = TEXT } = BAKED ?? script()?.dataset ?? {};
  const origins = [location.origin, ...smartcarOrigins.split(" ").filter(Boolean)];

  // Field of the message: parameter. The second table's fields are there only if the parameter was.
  const ALWAYS = {
    code: "code", error: "error", errorDescription: "error_description", state: "state",
    vin: "vin", make: "make", model: "model", year: "year", virtualKeyUrl: "virtual_key_url", userId: "user_id",
  };
  const SOMETIMES = {
    externalId: "external_id", vehicleId: "vehicle_id", statusCode: "status_code", errorMessage: "error_message",
  };
  const known = [...Object.values(ALWAYS), ...Object.values(SOMETIMES)];

  const query = new URLSearchParams(location.search);
  const twice = (name) => query.getAll(name).length > 1;
  const has = (name) => Boolean(query.get(name));
  const target = query.get("app_origin") ?? location.origin;
  let state = twice("state") ? null : query.get("state");

  // A dot stands in states that our server sealed, and never in the SDKs' envelopes.
  const sealed = state?.includes(".");

  const bytes = (base64) => atob(base64.replace(/-/g, "+").replace(/_/g, "/"));
  const add = (parent, tag, properties) => parent.append(Object.assign(document.createElement(tag), properties));

  // The window stays: our own page has its words in the markup and wants its looks, any other gets a sentence.
  const stay = () => {
    if (document.readyState === "loading") return addEventListener("DOMContentLoaded", stay);
    if (sheet) add(document.head, "link", { rel: "stylesheet", href: sheet });
    else if (!sealed) add(document.body, "p", { role: "status", textContent: text });
  };
  const leave = () => {
    close();
    setTimeout(stay, 200);
  };

  // Server mode: no code for page scripts. The page is told to ask the server, and nothing else.
  const askServer = () => {
    if (!/^[\w-]{43}\.[\w-]+$/.test(state)) return stay;
    const id = btoa(bytes(state.slice(0, 24)).slice(0, 16)); // as the server seals it: the attempt's id comes first
    const attempt = id.replace(/\+/g, "-").replace(/\//g, "_").slice(0, 22);
    const message = { name: "smartcar-connect", attempt };
    for (const origin of origins) opener?.postMessage(message, origin);
    new BroadcastChannel(`smartcar-connect-${attempt}`).postMessage(message);
    return leave;
  };

  // Whether the opener can have heard it: only a page of our own origin lets us read its address.
  const heard = () => {
    try {
      return opener.location.origin === target;
    } catch {
      return Boolean(opener) && target !== location.origin;
    }
  };

  const tell = () => {
    // The code goes to a whole origin of the list and nowhere else.
    if (twice("app_origin") || !origins.includes(target)) return stay;

    let problem;
    if (known.some(twice)) problem = ["duplicate_parameter", "A parameter of the answer came twice."];
    else if (has("code") && has("error")) problem = ["ambiguous_response", "A code and an error came together."];
    else if (!["code", "error", "user_id", "vehicle_id"].some(has)) {
      problem = ["missing_parameter", "Neither a code nor an error came; the answer’s query is missing or incomplete."];
    }

    // The original doesn't percent-encode the base64 of its envelope, so a "+" in it comes back as a space.
    const mended = state?.replaceAll(" ", "+");
    const instance = () => {
      try {
        return JSON.parse(bytes(mended)).instanceId;
      } catch {} // no state, or no envelope
    };
    if (mended !== state && instance()) state = mended;

    const message = { name: "SmartcarAuthMessage", isSmartcarHosted: false };
    for (const field in ALWAYS) message[field] = problem ? null : query.get(ALWAYS[field]);
    if (problem) [message.error, message.errorDescription] = problem;
    else for (const field in SOMETIMES) if (query.has(SOMETIMES[field])) message[field] = query.get(SOMETIMES[field]);
    message.state = state;

    opener?.postMessage(message, target);
    // Listeners tell attempts apart by the state: without one nobody listens, so the window must not just vanish.
    if (state && heard()) {
      // Somebody waits, and whatever else this window does, it does at their expense: our own page goes at once.
      if (sheet) close();
      return leave;
    }

    // A page of this origin that Cross-Origin-Opener-Policy cut off hears the channel; any answer there closes us.
    const name = target === location.origin && instance();
    if (typeof name === "string") {
      const channel = new BroadcastChannel(`smartcar-auth-${name}`);
      channel.onmessage = () => close();
      channel.postMessage(message);
    }
    return stay;
  };

  // The answer need not stay in the address bar. A sealed state may, for with it a reload shows the same page.
  let end = stay;
  const tidy = () => {
    for (const name of known) if (name !== "state" || !sealed) query.delete(name);
    history.replaceState(null, "", `${location.pathname}${String(query) && `?${query}`}`);
    end();
  };
  try {
    end = sealed ? askServer() : tell();
  } finally {
    // Browsers send a message when its task is over. An application's page may have other scripts, though, and to them
    // the address must be clean already.
    if (sheet) setTimeout(tidy);
    else tidy();
  }
}
