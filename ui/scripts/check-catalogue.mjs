// Every language has every key, with the same {placeholders}.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../../catalogue/', import.meta.url).pathname;
const read = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));
const english = read('en.json');
const holes = (text) => (text.match(/\{\w+\}/g) ?? []).sort().join();
const faults = [];

for (const name of readdirSync(root).filter((file) => /^[a-z]{2}(-\w+)?\.json$/.test(file) && file !== 'en.json')) {
  const other = read(name);
  for (const key of Object.keys(english)) {
    if (!(key in other)) faults.push(`${name}: ${key} is missing`);
    else if (!/\.one$/.test(key) && holes(other[key]) !== holes(english[key])) faults.push(`${name}: ${key} has other placeholders`);
  }
  for (const key of Object.keys(other)) if (!(key in english)) faults.push(`${name}: ${key} is not in en.json`);
}

for (const fault of faults) console.error(fault);
console.log(`catalogue: ${Object.keys(english).length} keys, ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
