// The official @smartcar/auth in Node: a JSON table of {options, link} on stdin, their addresses (or errors) on stdout.
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";

globalThis.window = {
  addEventListener() {},
  btoa,
  location: {origin: "https://app.example.com"},
};
console.warn = () => {};
const Smartcar = createRequire(import.meta.url)("@smartcar/auth/dist/npm/sdk.js");

const table = JSON.parse(readFileSync(0, "utf8"));
const answers = table.map(({options, link}) => {
  try {
    return {url: new Smartcar({...options, onComplete(error, code) {}}).getAuthUrl(link)};
  } catch (error) {
    return {error: error.message};
  }
});
process.stdout.write(JSON.stringify(answers));
