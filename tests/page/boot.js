// The interpreter that this page's address ends in, with the package as it stands and what tests call; then `ready`.
const name = location.pathname.split("/").at(-1);
const files = await (await fetch("/package.json")).json();
const say = (line) => console.log(line);

const interpreters = {
  async micropython() {
    const folder = "/js/@micropython/micropython-webassembly-pyscript";
    const { loadMicroPython } = await import(`${folder}/micropython.mjs`);
    const heapsize = 8 * 1024 * 1024;
    return loadMicroPython({ url: `${folder}/micropython.wasm`, heapsize, linebuffer: true, stdout: say, stderr: say });
  },
  async pyodide() {
    const { loadPyodide } = await import("/js/pyodide/pyodide.mjs");
    return loadPyodide({ stdout: say, stderr: say });
  },
};

window.interpreter = await interpreters[name]();
for (const path of Object.keys(files)) {
  const folders = path.split("/").slice(1, -1);
  for (let depth = 1; depth <= folders.length; depth++) {
    const folder = "/" + folders.slice(0, depth).join("/");
    if (!interpreter.FS.analyzePath(folder).exists) interpreter.FS.mkdir(folder);
  }
  interpreter.FS.writeFile(path, files[path]);
}
window.python = (code) => interpreter.runPython(code);
python("import sys\nsys.path.insert(0, '/package')");
python(await (await fetch("/told.py")).text());
window.ready = true;
