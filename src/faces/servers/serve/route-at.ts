import type { ServeApp } from './app-types.ts';

export interface RouteAt {
  /** The route's path in the API description. `none` if no route matches, because clients may request any path. */
  route: string;
  /** The HTTP methods that this path accepts. */
  methods: string[];
}

const METHODS = ['GET', 'POST'];

/** Finds the route that handles a path, for any method. */
export function routeAt(app: ServeApp, path: string): RouteAt {
  const routes = METHODS.flatMap((method) => {
    const [matches] = app.router.match(method, path);
    // A handler for all methods is middleware, not a route.
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
