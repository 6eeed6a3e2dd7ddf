// Loads Pyodide, unpacks the package beside it, and runs the page's own code.
import { loadPyodide } from "/js/pyodide/pyodide.mjs";

const [pyodide, archive, code] = await Promise.all([
  loadPyodide(),
  fetch("/connect/smartcar_auth.zip").then((answer) => answer.arrayBuffer()),
  fetch("garage.py").then((answer) => answer.text()),
]);
pyodide.unpackArchive(archive, "zip");
await pyodide.runPythonAsync(code);
