// Runs a Python script on Pyodide, without a network: node run_pyodide.mjs PACKAGE_DIRECTORY SCRIPT
import {readFileSync, readdirSync} from "node:fs";
import {join} from "node:path";
import {loadPyodide} from "pyodide";

const [directory, script] = process.argv.slice(2);
const pyodide = await loadPyodide({
  stdout: (line) => console.log(line),
  stderr: (line) => console.error(line),
});
pyodide.FS.mkdirTree("/lib/core/smartcar_auth");
for (const name of readdirSync(directory)) {
  if (name.endsWith(".py")) {
    pyodide.FS.writeFile(`/lib/core/smartcar_auth/${name}`, readFileSync(join(directory, name)));
  }
}
try {
  pyodide.runPython("import sys\nsys.path.insert(0, '/lib/core')");
  pyodide.runPython(readFileSync(script, "utf8"));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
