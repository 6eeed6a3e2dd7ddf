// What Smartcar's /v2/redirect.js is known to do, message for message, and no more: it needs the query that Connect
// came back with, tells the opener, and closes the window.

(() => {
  if (!window.opener) throw new Error("window.opener must be defined");
  const query = new URLSearchParams(location.search);
  const message = {
    name: "SmartcarAuthMessage",
    isSmartcarHosted: location.origin === "https://javascript-sdk.smartcar.com",
    code: query.get("code"),
    error: query.get("error"),
    errorDescription: query.get("error_description"),
    state: query.get("state"),
    vin: query.get("vin"),
    make: query.get("make"),
    model: query.get("model"),
    year: query.get("year"),
    virtualKeyUrl: query.get("virtual_key_url"),
    userId: query.get("user_id"),
  };
  // The SDK tells an absent one from an empty one.
  if (query.has("external_id")) message.externalId = query.get("external_id");
  window.opener.postMessage(message, query.get("app_origin") ?? location.origin);
  window.close();
})();
