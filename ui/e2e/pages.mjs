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
  if (session) out.push({ name: 'session', path: `/sessions/${encodeURIComponent(session.session)}` });
  return out;
}
