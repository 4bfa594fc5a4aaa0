// Every language has every key, with the same {placeholders}.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../../catalogue/', import.meta.url).pathname;
const parts = ['', 'core/', 'cli/', 'edge/'];
const read = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));
const holes = (text) => (text.match(/\{\w+\}/g) ?? []).sort().join();
const faults = [];
let number = 0;

for (const part of parts) {
  const english = read(`${part}en.json`);
  number += Object.keys(english).length;
  for (const file of readdirSync(join(root, part)).filter((file) => /^[a-z]{2}(-\w+)?\.json$/.test(file) && file !== 'en.json')) {
    const name = part + file;
    const other = read(name);
    for (const key of Object.keys(english)) {
      if (!(key in other)) faults.push(`${name}: ${key} is missing`);
      else if (!/\.one$/.test(key) && holes(other[key]) !== holes(english[key])) faults.push(`${name}: ${key} has other placeholders`);
    }
    for (const key of Object.keys(other)) if (!(key in english)) faults.push(`${name}: ${key} is not in en.json`);
  }
}

for (const fault of faults) console.error(fault);
console.log(`catalogue: ${number} keys, ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
