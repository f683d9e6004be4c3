import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { RequestScope } from './request-scope.ts';

/** The context that middleware passes to routes. */
export interface ServeEnv {
  Bindings: HttpBindings;
  Variables: {
    scope: RequestScope;
  };
}

export type ServeApp = OpenAPIHono<ServeEnv>;
