import { mkdirSync } from 'node:fs';
import { open, settle } from './browser.mjs';
import { pages } from './pages.mjs';
import { serve } from './serve.mjs';

// node e2e/shots.mjs [dir] [page,page…] [variant,variant…]: screenshots of each page, to be looked at.
const [dir = 'shots', only = '', variants = 'light,dark,narrow,narrow-dark,ja'] = process.argv.slice(2);
mkdirSync(dir, { recursive: true });
const looks = { light: {}, dark: { dark: true }, narrow: { width: 390, height: 844 }, 'narrow-dark': { width: 390, height: 844, dark: true }, ja: { lang: 'ja' } };

const server = await serve();
try {
  for (const v of variants.split(',')) {
    const b = await open(looks[v]);
    for (const p of await pages(server.url, b.context.request)) {
      if (only && !only.split(',').includes(p.name)) continue;
      await b.page.goto(`${server.url}/ui${p.path}`);
      await settle(b.page);
      await b.page.screenshot({ path: `${dir}/${p.name}-${v}.png` });
    }
    if (b.problems.length > 0) console.log(v, b.problems.slice(0, 10));
    await b.close();
  }
} finally {
  await server.stop();
}
