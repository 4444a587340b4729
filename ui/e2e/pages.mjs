/** Every page, with ids taken from the server's own lists, so that the same run works on fixtures and on a real weir. */
export async function pages(url, request) {
  const api = async (path) => (await request.get(`${url}${process.env.WEIR_PREFIX ?? ''}/api/v1${path}`)).json();
  const { items: sessions } = await api('/sessions?limit=50');
  const { items: traces } = await api('/traces?limit=200');
  const busiest = sessions.toSorted((a, b) => b.calls - a.calls);
  const session = busiest.find((s) => s.client === 'Cline' && s.errors > 0) ?? busiest[0];
  const trace = traces.find((t) => t.session && t.status === 'ok') ?? traces[0];
  const failed = traces.find((t) => t.status === 'error');
  const out = [
    { name: 'home', path: '/' },
    { name: 'traces', path: '/traces' },
    { name: 'sessions', path: '/sessions' },
    { name: 'models', path: '/models' },
    { name: 'keys', path: '/keys' },
    { name: 'connect', path: '/connect' },
    { name: 'system', path: '/system' },
    { name: 'login', path: '/login' },
    { name: 'keys-new', path: '/keys?new=1' },
  ];
  if (traces[0]) out.push({ name: 'traces-panel', path: `/traces?sel=${traces[0].trace}.${traces[0].id}&open=1` });
  if (trace) for (const tab of ['conversation', 'io', 'attributes', 'cost', 'raw']) out.push({ name: `trace-${tab}`, path: `/traces/${trace.trace}?tab=${tab}` });
  if (failed) out.push({ name: 'trace-failed', path: `/traces/${failed.trace}` });
  const app = await appTraces(api, traces);
  if (app) {
    out.push({ name: 'app-trace', path: `/traces/${app.trace}` }, { name: 'app-timeline', path: `/traces/${app.trace}?view=timeline` }, { name: 'app-graph', path: `/traces/${app.trace}?view=graph` });
    for (const [kind, span] of Object.entries(app.spans)) out.push({ name: `app-${kind}`, path: `/traces/${app.trace}?span=${span}` });
    out.push({ name: 'app-attributes', path: `/traces/${app.trace}?tab=attributes` }, { name: 'app-scores', path: `/traces/${app.trace}?tab=scores` });
    if (app.other) out.push({ name: 'diff', path: `/diff?a=${app.trace}&b=${app.other}` });
    if (app.big) out.push({ name: 'big-tree', path: `/traces/${app.big}` }, { name: 'big-timeline', path: `/traces/${app.big}?view=timeline` }, { name: 'big-graph', path: `/traces/${app.big}?view=graph` });
    if (app.share) out.push({ name: 'share', path: `/share/${app.share}` });
  }
  out.push({ name: 'diff-pick', path: '/diff' }, { name: 'share-gone', path: '/share/gone', fails: true });
  if (session) out.push({ name: 'session', path: `/sessions/${encodeURIComponent(session.session)}` });
  return out;
}

/** A trace of an application, another to compare it with, and a share: those of the fixtures, or what the server has. */
async function appTraces(api, rows) {
  const ids = ['a9', 'b9', 'c9'].map((x) => x.padEnd(32, '0'));
  const fixture = await api(`/traces/${ids[0]}`).catch(() => undefined);
  const trace = fixture?.spans ? ids[0] : rows.find((t) => t.source)?.trace;
  if (!trace) return undefined;
  const own = fixture?.spans ? fixture : await api(`/traces/${trace}`);
  const spans = {};
  for (const s of own.spans) spans[s.kind] ??= s.id;
  const other = fixture?.spans ? ids[1] : rows.find((t) => t.source && t.trace !== trace)?.trace;
  return { trace, spans, other, big: fixture?.spans ? ids[2] : process.env.WEIR_BIG, share: fixture?.spans ? 'token' : process.env.WEIR_SHARE };
}
