import type { ServeApp } from './app-types.ts';

/** Where a path leads. */
export interface RouteAt {
  /** As the description of the interface calls it; `none` where there is none: clients make up paths. */
  route: string;
  /** Those that it takes. */
  methods: string[];
}

const METHODS = ['GET', 'POST'];

/** The route of an app that a path leads to, whatever the method of the request. */
export function routeAt(app: ServeApp, path: string): RouteAt {
  const found = METHODS.flatMap((method) => {
    const [matches] = app.router.match(method, path);
    // What is for all methods is no route: it comes before every one.
    const own = matches
      .map(([[, { method, path }]]) => ({ method, path }))
      .find((one) => one.method === method);
    return own ?? [];
  });
  return {
    route: found[0]?.path.replaceAll(/:(\w+)/g, '{$1}') ?? 'none',
    methods: found.map(({ method }) => method),
  };
}
