import type { ServeApp } from './app-types.ts';

/** A route, as found by path. */
export interface RouteAt {
  /** The path in the API description. If there is no route, `none`, because clients may request any path. */
  route: string;
  /** The HTTP methods that the route accepts. */
  methods: string[];
}

const METHODS = ['GET', 'POST'];

/** Finds the route of a path in an app, for any method. */
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
