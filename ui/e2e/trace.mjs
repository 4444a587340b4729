import assert from 'node:assert/strict';
import { settle } from './browser.mjs';
import { pages } from './pages.mjs';

const prefix = process.env.WEIR_PREFIX ?? '';

async function address(b, url, name) {
  const p = (await pages(url, b.context.request)).find((x) => x.name === name);
  return p && `${url}${prefix}/ui${p.path}`;
}

const chosen = (page) => page.locator('[role="treeitem"][aria-selected="true"]').getAttribute('id');

/** The keys of the trace page, its search, its views and a link to one span. */
export async function trace(b, url) {
  const { page } = b;
  const at = await address(b, url, 'app-trace');
  if (!at) return;
  await page.goto(at);
  await settle(page);
  const failed = await chosen(page);
  assert.equal(await page.locator('[role="treeitem"][aria-selected="true"][data-bad]').count(), 1, 'the error is opened first');
  await page.keyboard.press('ArrowUp');
  await page.waitForURL(/span=/);
  assert.notEqual(await chosen(page), failed, '↑ goes up');
  await page.keyboard.press('e');
  await page.waitForTimeout(200);
  assert.equal(await chosen(page), failed, 'e goes to the error');
  const open = page.url();
  await page.goto(open);
  await settle(page);
  assert.equal(await chosen(page), failed, 'a link opens its span');
  await page.keyboard.press('/');
  await page.keyboard.type('search handbook');
  await page.waitForSelector('[role="treeitem"][data-hit]');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(200);
  assert.match(await page.locator('[role="treeitem"][aria-selected="true"]').innerText(), /search handbook/, 'the search goes to its hit');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role="search"]', { state: 'detached' });
  await page.getByText('Timeline').click();
  await page.waitForURL(/view=timeline/);
  await page.keyboard.press('z');
  await page.getByText('Graph', { exact: true }).click();
  await page.locator('svg foreignObject button').nth(1).click();
  await page.waitForSelector('svg foreignObject button[aria-pressed="true"]');
  await page.keyboard.press('d');
  await page.waitForSelector('[role="dialog"]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role="dialog"]', { state: 'detached' });
}

/** The keys of the diff, and unfolding what did not change. */
export async function diff(b, url) {
  const { page } = b;
  const at = await address(b, url, 'diff');
  if (!at) return;
  await page.goto(at);
  await settle(page);
  await page.keyboard.press('n');
  await page.waitForSelector('[role="listitem"][data-at]');
  const first = await page.locator('[role="listitem"][data-at]').getAttribute('data-index');
  await page.keyboard.press('n');
  await page.waitForTimeout(200);
  assert.notEqual(await page.locator('[role="listitem"][data-at]').getAttribute('data-index'), first, 'n goes to the next change');
  await page.keyboard.press('p');
  await page.waitForTimeout(200);
  assert.equal(await page.locator('[role="listitem"][data-at]').getAttribute('data-index'), first, 'p goes back');
  assert.ok((await page.locator('ins').count()) + (await page.locator('del').count()) > 0, 'changed words are marked');
}
