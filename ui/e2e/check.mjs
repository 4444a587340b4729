import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { open, settle } from './browser.mjs';
import { pages } from './pages.mjs';
import { serve } from './serve.mjs';
import { diff, trace } from './trace.mjs';

// Each page, both themes, both widths, both languages: no console error, no overflow of the window, axe clean; then the
// keyboard. WEIR_PREFIX is a path a proxy puts in front.
const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const prefix = process.env.WEIR_PREFIX ?? '';
const looks = [{}, { dark: true }, { width: 390, height: 844 }, { width: 390, height: 844, dark: true }, { lang: 'ja' }].slice(0, Number(process.env.WEIR_LOOKS ?? 9));
const rules = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] };
const only = process.env.WEIR_PAGES?.split(','); // some pages, and no journeys
const failures = [];

async function checkPage(b, url, p, look) {
  const name = `${p.name} ${JSON.stringify(look)}`;
  b.problems.length = 0;
  await b.page.goto(`${url}${prefix}/ui${p.path}`);
  await settle(b.page);
  for (const x of b.problems) if (!(p.fails && x.startsWith('Failed to load'))) failures.push(`${name}: console: ${x}`);
  const wide = await b.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) failures.push(`${name}: ${wide} px wider than the window`);
  if (await b.page.locator('[data-weir-error], .notice').count()) failures.push(`${name}: shows an error`);
  await b.page.evaluate(`${axe};0`); // through the debugger, which the page's policy does not stop
  const result = await b.page.evaluate(async (rules) => {
    const r = await window.axe.run(document, rules);
    return r.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join(' | ')}`);
  }, rules);
  for (const v of result) failures.push(`${name}: ${v}`);
}

async function keyboard(b, url) {
  const { page } = b;
  await page.goto(`${url}${prefix}/ui/traces`);
  await settle(page);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForSelector('aside');
  assert.match(page.url(), /open=1/, 'Enter opens the panel');
  await page.keyboard.press('Escape');
  await page.waitForSelector('aside', { state: 'detached' });
  await page.keyboard.press('Shift+Enter');
  await page.waitForURL(/\/traces\/\w+/);
  await settle(page);
  await page.reload();
  await settle(page);
  assert.ok(await page.locator('[role="tablist"]').count(), 'a deep page survives reload');
  await page.goBack();
  await settle(page);
  await page.keyboard.press('/');
  await page.keyboard.type('status = er');
  await page.waitForSelector('ul [role="option"]');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.waitForURL(/q=status/);
  await settle(page);
  assert.equal(await page.locator('[role="row"][data-bad]').count() > 0, true, 'the filter selects errors');
  assert.equal(await page.locator('[role="row"]:not([data-bad])').count(), 1, 'and nothing but errors (and the head)');
  await page.keyboard.press('Control+k');
  await page.waitForSelector('.mantine-Spotlight-search:focus');
  await page.keyboard.type('sess');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/sessions/);
  await settle(page);
  await page.keyboard.press('?');
  await page.waitForSelector('[role="dialog"] kbd');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role="dialog"]', { state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await page.waitForURL(/\/models/);
}

async function charts(b, url) {
  const { page } = b;
  await page.goto(`${url}${prefix}/ui/`);
  await settle(page);
  const box = await page.locator('canvas').first().boundingBox();
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.3, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, y, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/from=.*to=/);
  await settle(page);
  await page.mouse.click(box.x + box.width * 0.5, y);
  await page.waitForURL(/\/traces\?/);
}

async function observe(b, url) {
  const { page } = b;
  await page.goto(`${url}${prefix}/ui/traces?view=traces`);
  await settle(page);
  for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key);
  await page.waitForSelector('[role="toolbar"]');
  assert.equal(await page.locator('[role="row"][data-picked]').count(), 2, 'x marks rows');
  await page.locator('[role="toolbar"] button').first().click();
  await page.waitForURL(/\/diff\?a=.*b=/);
  await page.goto(`${url}${prefix}/ui/traces`);
  await settle(page);
  await page.keyboard.press('/');
  await page.keyboard.type('modle = x');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role="alert"] mark');
  await page.goto(`${url}${prefix}/ui/errors`);
  await settle(page);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.locator('aside a[href*="/traces?"]').first().click();
  await page.waitForURL(/\/traces\?.*view=spans/);
  await page.waitForSelector('[role="row"][data-bad]'); // a group of errors leads to its spans
  await page.goto(`${url}${prefix}/ui/errors?tab=latency`);
  await settle(page);
  await page.locator('figure button:not([disabled])').first().click();
  await page.waitForURL(/\/traces\?.*duration/);
  await page.goto(`${url}${prefix}/ui/sql`);
  await settle(page);
  await page.locator('textarea').first().focus();
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('[role="table"] [role="cell"]');
}

const server = await serve();
try {
  for (const look of looks) {
    const b = await open(look);
    for (const p of await pages(server.url, b.context.request)) if (!only || only.includes(p.name)) await checkPage(b, server.url, p, look);
    await b.close();
  }
  const b = await open();
  for (const f of only ? [] : [keyboard, charts, observe, trace, diff]) await f(b, server.url).catch((e) => failures.push(`${f.name}: ${e.message}`));
  await b.close();
} finally {
  await server.stop();
}
console.log(failures.length === 0 ? 'all pages are clean' : [...new Set(failures)].join('\n'));
process.exit(failures.length === 0 ? 0 : 1);
