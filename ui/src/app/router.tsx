import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router';
import { alertsSearch } from '@/features/alerts/search';
import { auditSearch } from '@/features/audit/search';
import { diffSearch } from '@/features/diff/search';
import { errorsSearch } from '@/features/errors/search';
import { homeSearch } from '@/features/home/search';
import { keysSearch } from '@/features/keys/search';
import { loginSearch } from '@/features/login/search';
import { sessionsSearch } from '@/features/sessions/search';
import { sqlSearch } from '@/features/sql/search';
import { traceSearch } from '@/features/trace/search';
import { tracesSearch } from '@/features/traces/search';
import { userSearch, usersSearch } from '@/features/users/search';
import { routerBase } from '@/shared/api/base';
import { ApiError } from '@/shared/api/client';
import { meQuery } from '@/shared/api/queries';
import { parseSearch, stringifySearch } from '@/shared/time/search';
import { ErrorNotice, Waiting } from '@/shared/ui/Bits';
import { NotFound } from './NotFound';
import { Shell } from './Shell';

const root = createRootRouteWithContext<{ client: QueryClient }>()({ component: Outlet, notFoundComponent: NotFound });

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: loginSearch,
  component: lazyRouteComponent(() => import('@/features/login/LoginPage'), 'LoginPage'),
});

const share = createRoute({
  getParentRoute: () => root,
  path: '/share/$token',
  validateSearch: traceSearch,
  component: lazyRouteComponent(() => import('@/features/trace/SharedPage'), 'SharedPage'),
});

const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.client.ensureQueryData(meQuery);
    } catch (e) {
      if (e instanceof ApiError && e.status === 401) throw redirect({ to: '/login', search: { next: location.href } });
      throw e;
    }
  },
  component: Shell,
  notFoundComponent: NotFound,
});

const at = () => app;

const home = createRoute({ getParentRoute: at, path: '/', validateSearch: homeSearch, component: lazyRouteComponent(() => import('@/features/home/HomePage'), 'HomePage') });
const traces = createRoute({ getParentRoute: at, path: '/traces', validateSearch: tracesSearch, component: lazyRouteComponent(() => import('@/features/traces/TracesPage'), 'TracesPage') });
const trace = createRoute({ getParentRoute: at, path: '/traces/$trace', validateSearch: traceSearch, component: lazyRouteComponent(() => import('@/features/trace/TracePage'), 'TracePage') });
const diff = createRoute({ getParentRoute: at, path: '/diff', validateSearch: diffSearch, component: lazyRouteComponent(() => import('@/features/diff/DiffPage'), 'DiffPage') });
const sessions = createRoute({ getParentRoute: at, path: '/sessions', validateSearch: sessionsSearch, component: lazyRouteComponent(() => import('@/features/sessions/SessionsPage'), 'SessionsPage') });
const session = createRoute({ getParentRoute: at, path: '/sessions/$session', component: lazyRouteComponent(() => import('@/features/sessions/SessionPage'), 'SessionPage') });
const users = createRoute({ getParentRoute: at, path: '/users', validateSearch: usersSearch, component: lazyRouteComponent(() => import('@/features/users/UsersPage'), 'UsersPage') });
const user = createRoute({ getParentRoute: at, path: '/users/$user', validateSearch: userSearch, component: lazyRouteComponent(() => import('@/features/users/UserPage'), 'UserPage') });
const errors = createRoute({ getParentRoute: at, path: '/errors', validateSearch: errorsSearch, component: lazyRouteComponent(() => import('@/features/errors/ErrorsPage'), 'ErrorsPage') });
const alerts = createRoute({ getParentRoute: at, path: '/alerts', validateSearch: alertsSearch, component: lazyRouteComponent(() => import('@/features/alerts/AlertsPage'), 'AlertsPage') });
const sql = createRoute({ getParentRoute: at, path: '/sql', validateSearch: sqlSearch, component: lazyRouteComponent(() => import('@/features/sql/SQLPage'), 'SQLPage') });
const models = createRoute({ getParentRoute: at, path: '/models', component: lazyRouteComponent(() => import('@/features/models/ModelsPage'), 'ModelsPage') });
const keys = createRoute({ getParentRoute: at, path: '/keys', validateSearch: keysSearch, component: lazyRouteComponent(() => import('@/features/keys/KeysPage'), 'KeysPage') });
const connect = createRoute({ getParentRoute: at, path: '/connect', component: lazyRouteComponent(() => import('@/features/connect/ConnectPage'), 'ConnectPage') });
const exports = createRoute({ getParentRoute: at, path: '/exports', component: lazyRouteComponent(() => import('@/features/exports/ExportsPage'), 'ExportsPage') });
const data = createRoute({ getParentRoute: at, path: '/data', component: lazyRouteComponent(() => import('@/features/settings/DataPage'), 'DataPage') });
const audit = createRoute({ getParentRoute: at, path: '/audit', validateSearch: auditSearch, component: lazyRouteComponent(() => import('@/features/audit/AuditPage'), 'AuditPage') });
const system = createRoute({ getParentRoute: at, path: '/system', component: lazyRouteComponent(() => import('@/features/settings/SystemPage'), 'SystemPage') });

const tree = root.addChildren([login, share, app.addChildren([home, traces, trace, diff, sessions, session, users, user, errors, alerts, sql, models, keys, connect, exports, data, audit, system])]);

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    basepath: routerBase,
    context: { client },
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    defaultPendingMs: 300,
    defaultPendingComponent: Waiting,
    defaultErrorComponent: ({ error, reset }) => <ErrorNotice error={error} retry={reset} />,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
