import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

// The first route's script: what index.html and the home page need before anything can be done, gzipped.
const budget = 250 * 1024;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('manifest.json', dist), 'utf8'));

function reach(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const k of manifest[key].imports ?? []) reach(k, seen);
  return seen;
}

const gz = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
const sum = (keys) => [...keys].reduce((n, k) => n + gz(manifest[k].file), 0);
const entry = reach('index.html');
let failed = false;
// A page whose parts are loaded later and share its styles is a chunk named after it, without its source as the key.
for (const key of Object.keys(manifest).filter((k) => /^src\/features\/.*Page\.tsx$|^_\w+Page-[\w-]+\.js$/.test(k))) {
  const size = sum(new Set([...entry, ...reach(key)]));
  const over = size > budget;
  failed ||= over;
  console.log(`${(size / 1024).toFixed(1).padStart(7)} KiB  ${key}${over ? `  over the budget of ${budget / 1024} KiB` : ''}`);
}
const charts = [...reach('src/shared/charts/TimeChart.tsx')].filter((k) => !entry.has(k));
console.log(`${(sum(charts) / 1024).toFixed(1).padStart(7)} KiB  charts, when shown`);
if (reach('src/features/home/HomePage.tsx').has('src/shared/charts/TimeChart.tsx')) {
  console.log('charts are part of the home page; they must be loaded lazily');
  failed = true;
}
process.exit(failed ? 1 : 0);
