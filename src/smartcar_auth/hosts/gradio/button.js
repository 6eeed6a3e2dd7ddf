// The body of a function of Gradio's, with `element`, `props`, `server`, `trigger` and `watch`. It decides nothing.
// What Gradio itself renders in the element is nothing, so it never takes the button away.
const button = document.createElement("smartcar-connect");
const root = new URL(window.gradio_config?.root ?? ".", document.baseURI).pathname.replace(/\/$/, "");
button.textContent = props.text;
button.className = props.variant;
button.setAttribute("attempt-seconds", props.attempt_seconds);
button.setAttribute("keep", `${location.pathname} ${props.name}`);
button.addEventListener("smartcar-failed", ({ detail }) => trigger("failed", detail));
button.addEventListener("smartcar-granted", async ({ detail }) => {
  const granted = await server.is_granted(detail).catch(() => true);
  trigger(granted ? "connected" : "failed", detail);
});
const lead = () => {
  const launch = props.value || (props.launch && root + props.launch);
  if (!launch) return;
  button.setAttribute("launch", launch);
  element.append(button);
};
lead();
watch("value", lead);
import(root + props.module).catch(() => {
  button.textContent = "Connect's routes don't answer here: start with demo.launch(app_kwargs=connect.app_kwargs).";
  element.append(button);
  trigger("failed", { outcome: "failed", code: "invalid_configuration", data: null });
});
