/** Every page, with ids taken from the server's own lists, so that the same run works on fixtures and on a real weir. */
export async function pages(url, request) {
  const api = async (path) => (await request.get(`${url}${process.env.WEIR_PREFIX ?? ''}/api/v1${path}`)).json();
  const { items: sessions } = await api('/sessions?limit=50');
  const { items: traces } = await api('/traces?limit=200');
  const busiest = sessions.toSorted((a, b) => b.calls - a.calls);
  const session = busiest.find((s) => s.client === 'Cline' && s.errors > 0) ?? busiest[0];
  const trace = traces.find((t) => t.session && t.status === 'ok') ?? traces[0];
  const failed = traces.find((t) => t.status === 'error');
  const { items: people = [] } = await api('/usage/users?limit=3&sort=-calls').catch(() => ({}));
  const who = people.find((u) => u.user) ?? people[0];
  const { items: rules = [] } = await api('/alerts').catch(() => ({}));
  const observe = [
    { name: 'traces-traces', path: '/traces?view=traces' },
    { name: 'traces-calls', path: '/traces?view=calls&sort=-cost' },
    { name: 'traces-spans', path: '/traces?view=spans&q=status%20%3D%20error' },
    { name: 'users', path: '/users' },
    { name: 'errors', path: '/errors' },
    { name: 'errors-latency', path: '/errors?tab=latency' },
    { name: 'errors-ttft', path: '/errors?tab=ttft' },
    { name: 'alerts', path: '/alerts' },
    { name: 'alerts-new', path: '/alerts?new=1' },
    { name: 'sql', path: `/sql?q=${encodeURIComponent("SELECT model, count(*) AS calls, sum(cost_usd) AS cost FROM spans WHERE kind = 'generation' GROUP BY model ORDER BY calls DESC")}` },
    { name: 'exports', path: '/exports' },
    { name: 'data', path: '/data' },
    { name: 'audit', path: '/audit' },
  ];
  if (who) observe.push({ name: 'user', path: `/users/${encodeURIComponent(who.user || who.end_user)}` });
  if (rules[0]) observe.push({ name: 'alert', path: `/alerts?sel=${rules[0].id}` });
  const out = [
    { name: 'home', path: '/' },
    { name: 'traces', path: '/traces' },
    { name: 'sessions', path: '/sessions' },
    { name: 'models', path: '/models' },
    { name: 'keys', path: '/keys' },
    { name: 'connect', path: '/connect' },
    { name: 'system', path: '/system' },
    { name: 'login', path: '/login' },
    ...observe,
    { name: 'keys-new', path: '/keys?new=1' },
  ];
  if (traces[0]) out.push({ name: 'traces-panel', path: `/traces?sel=${traces[0].trace}.${traces[0].id}&open=1` });
  if (trace) for (const tab of ['conversation', 'io', 'attributes', 'cost', 'raw']) out.push({ name: `trace-${tab}`, path: `/traces/${trace.trace}?tab=${tab}` });
  if (failed) out.push({ name: 'trace-failed', path: `/traces/${failed.trace}` });
  const app = await appTraces(api);
  if (app) {
    out.push({ name: 'app-trace', path: `/traces/${app.trace}` }, { name: 'app-timeline', path: `/traces/${app.trace}?view=timeline` }, { name: 'app-graph', path: `/traces/${app.trace}?view=graph` });
    for (const [kind, span] of Object.entries(app.spans)) out.push({ name: `app-${kind}`, path: `/traces/${app.trace}?span=${span}` });
    out.push({ name: 'app-attributes', path: `/traces/${app.trace}?tab=attributes` }, { name: 'app-scores', path: `/traces/${app.trace}?tab=scores` });
    if (app.other) out.push({ name: 'diff', path: `/diff?a=${app.trace}&b=${app.other}` });
    if (app.big) out.push({ name: 'big-tree', path: `/traces/${app.big}` }, { name: 'big-timeline', path: `/traces/${app.big}?view=timeline` }, { name: 'big-graph', path: `/traces/${app.big}?view=graph` });
    if (app.share) out.push({ name: 'share', path: `/share/${app.share}` });
  }
  out.push({ name: 'diff-pick', path: '/diff' }, { name: 'share-gone', path: '/share/gone', fails: true });
  const { items: chats = [] } = await api('/sessions?limit=20&filter=source%20!%3D%20gateway').catch(() => ({}));
  const chat = chats.find((s) => !s.client && s.traces > 1);
  if (chat) out.push({ name: 'session-app', path: `/sessions/${encodeURIComponent(chat.session)}` });
  if (session) out.push({ name: 'session', path: `/sessions/${encodeURIComponent(session.session)}` });
  return out;
}

/** A trace of an application, another to compare it with, and a share: those of the fixtures, or what the server has. */
async function appTraces(api) {
  const ids = ['a9', 'b9', 'c9'].map((x) => x.padEnd(32, '0'));
  const fixture = await api(`/traces/${ids[0]}`).catch(() => undefined);
  const sent = fixture?.spans ? [] : ((await api('/traces?limit=200&filter=' + encodeURIComponent('kind = "agent" and service exists'))).items ?? []);
  const trace = fixture?.spans ? ids[0] : sent[0]?.trace;
  if (!trace) return undefined;
  const own = fixture?.spans ? fixture : await api(`/traces/${trace}`);
  const spans = {};
  for (const s of own.spans) spans[s.kind] ??= s.id;
  const other = fixture?.spans ? ids[1] : sent.find((t) => t.trace !== trace && t.name === sent[0].name)?.trace;
  return { trace, spans, other, big: fixture?.spans ? ids[2] : process.env.WEIR_BIG, share: fixture?.spans ? 'token' : process.env.WEIR_SHARE };
}
