// The button as a component of Dash: the module's element. What its events tell becomes the property `outcome`.
(() => {
  const { launch: usual, module } = document.currentScript.dataset;
  const { createElement, useEffect, useRef } = window.React;

  const launchOf = ({ launch, make, single_select }) => {
    if (launch) return launch;
    const query = new URLSearchParams();
    if (make) query.set("make", make);
    if (typeof single_select === "boolean") query.set("single_select", single_select);
    return query.size ? `${usual}?${query}` : usual;
  };

  const SmartcarButton = (properties) => {
    const { id, children, className, style, return_to, window_options, setProps } = properties;
    const element = useRef(null);
    useEffect(() => {
      import(module);
    }, []);
    useEffect(() => {
      const { current } = element;
      const told = ({ detail }) => setProps({ outcome: detail });
      for (const name of ["granted", "failed"]) current.addEventListener(`smartcar-${name}`, told);
      return () => {
        for (const name of ["granted", "failed"]) current.removeEventListener(`smartcar-${name}`, told);
      };
    }, [setProps]);
    const attributes = {
      id,
      ref: element,
      class: className,
      style,
      launch: launchOf(properties),
      keep: id && `${location.pathname} ${id}`,
      "return-to": return_to,
      "window-options": window_options,
    };
    for (const name in properties) if (/^(data|aria)-/.test(name)) attributes[name] = properties[name];
    return createElement("smartcar-connect", attributes, children);
  };

  window.smartcar_auth = { ...window.smartcar_auth, SmartcarButton };
})();
