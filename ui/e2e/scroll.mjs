import { open, settle } from './browser.mjs';
import { pages } from './pages.mjs';
import { serve } from './serve.mjs';

// node e2e/scroll.mjs: how long frames take while a trace of 50k spans is scrolled, and how long it takes to open.
/** Seconds of the main thread so far: on a machine under load these tell more than the time between frames. */
async function work(b) {
  b.cdp ??= await b.context.newCDPSession(b.page);
  await b.cdp.send('Performance.enable');
  const { metrics } = await b.cdp.send('Performance.getMetrics');
  return Object.fromEntries(metrics.filter((m) => /^(Script|Layout|RecalcStyle|Task)Duration$/.test(m.name)).map((m) => [m.name, m.value]));
}

const server = await serve();
const b = await open();
try {
  const all = await pages(server.url, b.context.request);
  for (const name of ['big-tree', 'big-timeline']) {
    const p = all.find((x) => x.name === name);
    if (!p) throw new Error('no trace of 50k spans: set WEIR_BIG');
    const t0 = Date.now();
    await b.page.goto(`${server.url}/ui${p.path}`);
    await b.page.waitForSelector('[role="treeitem"]');
    const opened = Date.now() - t0;
    await settle(b.page);
    await b.page.locator('button:has(svg.tabler-icon-arrows-vertical)').click(); // every loop unfolded
    await settle(b.page);
    const before = await work(b);
    const r = await b.page.evaluate(
      () =>
        new Promise((done) => {
          const el = document.querySelector('[role="tree"]');
          const frames = [];
          let last = performance.now();
          let at = 0;
          el.scrollTop = 0;
          const tick = (now) => {
            frames.push(now - last);
            last = now;
            el.scrollTop = at += 240; // a fast wheel
            if (frames.length < 400) return requestAnimationFrame(tick);
            const sorted = frames.slice(5).sort((x, y) => x - y);
            const q = (s) => +sorted[Math.floor(sorted.length * s)].toFixed(1);
            const seen = [...el.querySelectorAll('[role="treeitem"]')].map((x) => x.getBoundingClientRect()).filter((x) => x.bottom > el.getBoundingClientRect().top && x.top < el.getBoundingClientRect().bottom).length;
            done({ p50: q(0.5), p95: q(0.95), p99: q(0.99), max: sorted.at(-1).toFixed(1), over20: frames.filter((x) => x > 20).length, rows: el.firstElementChild.clientHeight / 28, seen });
          };
          requestAnimationFrame(tick);
        }),
    );
    const after = await work(b);
    const per = Object.fromEntries(Object.keys(after).map((k) => [k, +(((after[k] - before[k]) * 1000) / 400).toFixed(2)]));
    console.log(name, 'opened in', opened, 'ms; frames', JSON.stringify(r), 'ms of the main thread a frame', JSON.stringify(per));
  }
} finally {
  await b.close();
  await server.stop();
}
