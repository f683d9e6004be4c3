import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { contentPolicy } from '../../../studies/report/page/content-policy.ts';
import { LIVE_SCRIPT, livePage } from '../../../studies/report/page/live-page.ts';
import { isLoopbackHost, isSameSecret, listen, TIMEOUTS } from '../http/listen.ts';
import { EventStream } from './event-stream.ts';
import type { LivePicture } from './live-picture.ts';

/**
 * Clients that will make another request soon: a page that was just served requests its event stream. A
 * closing server waits for them, because their request would fail otherwise.
 */
class Latecomers {
  readonly #patience: number;
  /** The time until which each client is expected, oldest first. */
  #expected: number[] = [];
  #arrived = () => {};

  /** @param patience how long to wait for a client, in milliseconds */
  constructor(patience: number) {
    this.#patience = patience;
  }

  expect(): void {
    this.#expected.push(performance.now() + this.#patience);
  }

  /** Records a client's request. Requests cannot be attributed to a client, so the oldest expectation is removed. */
  arrived(): void {
    this.#expected.shift();
    this.#arrived();
  }

  /** Resolves once no client is expected. */
  async none(): Promise<void> {
    for (;;) {
      const now = performance.now();
      this.#expected = this.#expected.filter((until) => until > now);
      const last = this.#expected.at(-1);
      if (last === undefined) return;
      await new Promise<void>((done) => {
        const patience = setTimeout(done, last - now);
        this.#arrived = () => {
          clearTimeout(patience);
          done();
        };
      });
    }
  }
}

/**
 * Returns the path of a request, such as `/` or `/events`, or the status that refuses it. Only requests of the server's own
 * user are admitted:
 *
 * - The Host must be this machine's own address ({@link isLoopbackHost}), so other sites cannot reach the server.
 * - The path must begin with a random token, which other users of this machine do not know. It is compared in
 * constant time.
 * - A request that changes something must come from the page itself, if it states its origin.
 */
function admit({ method, url = '', headers }: IncomingMessage, token: string): string | number {
  if (!isLoopbackHost(headers.host)) return 421;
  const [, shown, path] = /^\/([^/?#]*)(\/[^?#]*)$/.exec(url) ?? [];
  if (!isSameSecret(shown ?? '', token)) return 404;
  const isForeign = headers.origin !== undefined && headers.origin !== `http://${headers.host}`;
  return method !== 'GET' && isForeign ? 403 : path!;
}

/** Maximum open streams. A user has only a few tabs, and each stream holds a connection and a copy of the page. */
const MAX_STREAMS = 32;
const MAX_CONNECTIONS = 4 * MAX_STREAMS;
/** Minimum time between two updates, in milliseconds. */
const PICTURE_MS = 500;
/** Maximum share of time spent on rendering, because training needs the processor. */
const DRAWING_SHARE = 0.05;
/**
 * How long a closing server waits for clients to request the last update, and then to receive it. On a busy
 * machine, this takes seconds.
 */
const GOODBYE_MS = 5000;

const POLICY = contentPolicy(LIVE_SCRIPT, "connect-src 'self'", "form-action 'self'");
const HEADERS = {
  'Content-Security-Policy': `${POLICY}; frame-ancestors 'none'`,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

export interface LiveServer {
  /** The page's URL, including the token. */
  url: string;
  /** Announces a change of the run's state. */
  changed(): void;
  /** Sends all clients the last update and stops serving. */
  close(): Promise<void>;
}

/**
 * Serves a run's page to the user of this machine. The server listens only on the loopback address, and
 * {@link admit} decides which requests are admitted. It has three resources: the page, its stream of
 * changes, and `stop`.
 *
 * @param port 0 for any free port
 * @param onStop called at the first request to stop
 * @throws UserError if the port is taken
 */
export async function serveLive(picture: LivePicture, port: number, onStop: () => void): Promise<LiveServer> {
  const token = randomBytes(24).toString('base64url');
  const streams = new Set<EventStream>();
  const latecomers = new Latecomers(GOODBYE_MS);
  let timer: NodeJS.Timeout | undefined;
  let interval = PICTURE_MS;
  let isClosing = false;

  const handlers: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
    'GET /': (_, response) => {
      latecomers.arrived();
      // The page will request the stream.
      latecomers.expect();
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end(livePage(picture.state, POLICY));
    },
    'GET /events': (_, response) => {
      latecomers.arrived();
      if (streams.size >= MAX_STREAMS) return void refuse(response, 503);
      const stream = new EventStream(response);
      streams.add(stream);
      response.on('close', () => streams.delete(stream));
      // A client may connect while the server closes. It gets the last update at once.
      if (isClosing) stream.end(picture.sections());
      else stream.send(picture.sections());
    },
    'POST /stop': ({ headers }, response) => {
      // The run may have ended before the page was updated.
      if (!isClosing && !picture.state.isStopping) {
        picture.stopping();
        changed();
        onStop();
      }
      if (headers['sec-fetch-mode'] !== 'navigate') return void response.writeHead(204).end();
      // Only a page without scripts sends a form. It is redirected back to the page.
      latecomers.expect();
      response.writeHead(303, { Location: './' }).end();
    },
  };
  const server = createServer(TIMEOUTS, (request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    // Request bodies are not read.
    request.resume();
    const path = admit(request, token);
    if (typeof path === 'number') return void refuse(response, path);
    const handler = handlers[`${request.method} ${path}`];
    if (handler) return handler(request, response);
    const isKnown = Object.keys(handlers).some((name) => name.endsWith(` ${path}`));
    refuse(response, isKnown ? 405 : 404);
  });
  limitConnections(server, MAX_CONNECTIONS);

  const draw = () => {
    timer = undefined;
    if (streams.size === 0) return;
    const startedAt = performance.now();
    const sections = picture.sections();
    interval = Math.max(PICTURE_MS, (performance.now() - startedAt) / DRAWING_SHARE);
    for (const stream of streams) stream.send(sections);
  };
  const changed = () => {
    timer ??= setTimeout(draw, interval);
  };

  const address = await listen(server, port);
  return {
    url: `http://127.0.0.1:${address.port}/${token}/`,
    changed,
    async close() {
      isClosing = true;
      clearTimeout(timer);
      for (const stream of streams) stream.end(picture.sections());
      await latecomers.none();
      const closed = new Promise((done) => server.close(done));
      const patience = setTimeout(() => server.closeAllConnections(), GOODBYE_MS);
      await closed;
      clearTimeout(patience);
    },
  };
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
  response.end(`${status}\n`);
}

/**
 * Limits the connections of a server. Beyond `most` connections, the longest idle one is closed. Connections
 * with a pending response stay.
 */
export function limitConnections(server: Server, most: number): void {
  const all = new Set<Socket>();
  // Idle sockets, the longest idle first.
  const idle = new Set<Socket>();
  server.on('connection', (socket) => {
    all.add(socket);
    idle.add(socket);
    socket.once('close', () => {
      all.delete(socket);
      idle.delete(socket);
    });
    if (all.size <= most) return;
    const [oldest] = idle;
    oldest!.destroy();
  });
  server.on('request', ({ socket }, response) => {
    idle.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
}
