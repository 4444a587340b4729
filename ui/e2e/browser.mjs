import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** A browser with a profile of its own, removed afterwards. */
export async function open({ width = 1440, height = 900, dark = false, lang = 'en' } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'weir-ui-'));
  const context = await chromium.launchPersistentContext(dir, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args,
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    locale: lang === 'ja' ? 'ja-JP' : 'en-US',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  if (process.env.WEIR_LOGIN) await login(context);
  const page = context.pages()[0] ?? (await context.newPage());
  const problems = [];
  page.on('console', (m) => m.type() === 'error' && problems.push(m.text()));
  page.on('pageerror', (e) => problems.push(String(e)));
  const close = async () => {
    await context.close();
    rmSync(dir, { recursive: true, force: true });
  };
  return { page, context, problems, close };
}

/** WEIR_LOGIN is email:password, for a server that is not in local mode. */
async function login(context) {
  const [email, ...rest] = process.env.WEIR_LOGIN.split(':');
  const r = await context.request.post(`${process.env.WEIR_URL}/api/v1/auth/login`, { data: { email, password: rest.join(':') } });
  if (!r.ok()) throw new Error(`login: ${r.status()} ${await r.text()}`);
}

/** Waits until nothing loads and charts are drawn. */
export async function settle(page) {
  await page.waitForLoadState('networkidle', { timeout: 2500 }).catch(() => {});
  await page.waitForFunction(() => !document.querySelector('[role="status"]'), undefined, { timeout: 8000 }).catch(() => {});
  await page.waitForTimeout(250);
}
