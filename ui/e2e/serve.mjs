import { preview } from 'vite';

/**
 * Where the pages under test are: WEIR_URL if set (a running weir), else the build in dist/ with the fixtures of dev/.
 */
export async function serve() {
  if (process.env.WEIR_URL) return { url: process.env.WEIR_URL.replace(/\/$/, ''), stop: async () => {} };
  const server = await preview({ preview: { port: 0, host: '127.0.0.1' }, logLevel: 'error' });
  const { port } = server.httpServer.address();
  const stop = () =>
    new Promise((done) => {
      server.httpServer.close(done);
      server.httpServer.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, stop };
}
