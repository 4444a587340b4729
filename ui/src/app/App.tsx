import { MantineProvider } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { ApiError } from '@/shared/api/client';
import { meQuery } from '@/shared/api/queries';
import { resolver, theme } from '@/shared/theme/mantine';
import { makeRouter } from './router';

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (e, q) => {
      // The session ended while the page was open: asking who we are again leads to the login page.
      if (e instanceof ApiError && e.status === 401 && q.queryKey[0] !== 'me') {
        client.removeQueries({ queryKey: meQuery.queryKey });
        void router.invalidate();
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      retry: (n, e) => n < 2 && !(e instanceof ApiError && e.status >= 400 && e.status < 500),
    },
  },
});

const router = makeRouter(client);

// Some dependencies add <style> elements; the page's policy wants the server's nonce on them.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
Object.assign(window, { __webpack_nonce__: nonce });

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={resolver} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
