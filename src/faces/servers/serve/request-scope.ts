import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { TimedOut } from './failure.ts';

/** The callbacks of each connection's responses that have not ended. */
const unended = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls `onEnd` once a response has been sent, or can no longer be sent. A pipelined response gets no `close`
 * event if its connection ends before its turn.
 */
export function onResponseEnd(response: ServerResponse, socket: Socket, onEnd: () => void): void {
  const all = unended.get(socket) ?? watched(socket);
  const end = () => {
    if (!all.delete(end)) return;
    onEnd();
  };
  all.add(end);
  response.once('close', end);
}

/** Adds one listener per connection, because Node warns of a leak if there are many. */
function watched(socket: Socket): Set<() => void> {
  const all = new Set<() => void>();
  unended.set(socket, all);
  socket.once('close', () => {
    for (const end of all) end();
  });
  return all;
}

const METHODS = ['GET', 'POST'];

/**
 * Finds the route that handles a path, for any method.
 *
 * @returns the route's path in the API description, and the HTTP methods that it accepts. The path is `none` if no route
 * matches, because clients may request any path.
 */
export function routeAt(app: ServeApp, path: string): { route: string; methods: string[] } {
  const routes = METHODS.flatMap((method) => {
    const [matches] = app.router.match(method, path);
    // A handler for all methods is middleware, not a route.
    return matches.map(([[, route]]) => route).find((route) => route.method === method) ?? [];
  });
  return {
    route: routes[0]?.path.replaceAll(/:(\w+)/g, '{$1}') ?? 'none',
    methods: routes.map(({ method }) => method),
  };
}

/** The context that middleware passes to routes. */
export interface ServeEnv {
  Bindings: HttpBindings;
  Variables: {
    scope: RequestScope;
  };
}

export type ServeApp = OpenAPIHono<ServeEnv>;

const ANSWERED = new Error('answered');

/** The content of a request's log line in addition to its route, and the signal that aborts its work. */
export class RequestScope {
  /** Set by the route: the model's name, and the numbers of rows and tokens. */
  readonly facts: Record<string, string | number> = {};
  /** Rejects when the request is aborted, so that no await lasts forever. */
  readonly ended: Promise<never>;
  /** Whether the client disconnected before its response was sent. */
  isGone = false;
  // One controller for all reasons, because in Node each signal costs as much as reading a small body.
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /**
   * @param seconds time limit of the request
   */
  constructor(seconds: number) {
    this.#timer = setTimeout(() => {
      this.#controller.abort(new TimedOut(`The request took longer than ${seconds} s.`));
    }, seconds * 1000);
    this.ended = new Promise((_, fail) => {
      this.signal.addEventListener('abort', () => fail(this.signal.reason), { once: true });
    });
    this.ended.catch(() => {});
  }

  /** Aborts when the work for the request must end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Describes the work of the request in its log line. A client may send any name. */
  note(model: string, rows: number): void {
    Object.assign(this.facts, { model: model.slice(0, 200), rows });
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Records that the client has disconnected. */
  gone(): void {
    this.isGone = true;
    this.#controller.abort(new Error('the client closed the connection'));
  }

  /** Ends the scope after the response has been sent. */
  done(): void {
    clearTimeout(this.#timer);
    this.#controller.abort(ANSWERED);
  }
}
