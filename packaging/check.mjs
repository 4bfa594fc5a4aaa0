// Holds src-tauri/tauri.conf.json against the schema of the Tauri that makes the app.
import { readFileSync } from "node:fs";
import Ajv from "ajv";
import addFormats from "ajv-formats";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
// One pattern of the schema is none where regular expressions are Unicode's.
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false, logger: false });
addFormats(ajv);
const validate = ajv.compile(read("./node_modules/@tauri-apps/cli/config.schema.json"));
const configuration = read("../src-tauri/tauri.conf.json");
if (!validate(configuration)) {
  for (const error of validate.errors) console.error(`tauri.conf.json${error.instancePath}: ${error.message}`, error.params);
  process.exit(1);
}
// A schema that takes anything would have said yes, too.
const wrong = structuredClone(configuration);
wrong.bundle.macOS.hardenedRuntimee = true;
wrong.bundle.macOS.minimumSystemVersion = 12;
if (validate(wrong)) {
  console.error("the schema of Tauri accepts a misspelt key and a number for a version: it checks nothing");
  process.exit(1);
}
