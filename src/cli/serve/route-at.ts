import type { ServeApp } from './app-types.ts';

/** The route of a path. */
export interface RouteAt {
  /** As in the API description; `none` without a route, because clients may use any path. */
  route: string;
  /** The methods that it accepts. */
  methods: string[];
}

const METHODS = ['GET', 'POST'];

/** The route of a path in an app, for any method. */
export function routeAt(app: ServeApp, path: string): RouteAt {
  const routes = METHODS.flatMap((method) => {
    const [matches] = app.router.match(method, path);
    // A handler for all methods is not a route but middleware.
    const candidates = matches
      .map(([[, { method, path }]]) => ({ method, path }))
      .find((one) => one.method === method);
    return candidates ?? [];
  });
  return {
    route: routes[0]?.path.replaceAll(/:(\w+)/g, '{$1}') ?? 'none',
    methods: routes.map(({ method }) => method),
  };
}
