// Runs a Python script on PyScript's MicroPython: node run_micropython.mjs PACKAGE_DIRECTORY SCRIPT
// Copies the package's own modules, unchanged, into the interpreter's file system first.
import {readFileSync, readdirSync} from "node:fs";
import {join} from "node:path";
import {loadMicroPython} from "@micropython/micropython-webassembly-pyscript/micropython.mjs";

const [directory, script] = process.argv.slice(2);
const micropython = await loadMicroPython({
  heapsize: 8 * 1024 * 1024,
  linebuffer: true,
  stdout: (line) => console.log(line),
  stderr: (line) => console.error(line),
});
micropython.FS.mkdir("/lib");
micropython.FS.mkdir("/lib/smartcar_auth");
for (const name of readdirSync(directory)) {
  if (name.endsWith(".py")) {
    micropython.FS.writeFile(`/lib/smartcar_auth/${name}`, readFileSync(join(directory, name)));
  }
}
try {
  micropython.runPython("import sys\nsys.path.insert(0, '/lib')");
  micropython.runPython(readFileSync(script, "utf8"));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
