import { isUtf8 } from 'node:buffer';
import { setTimeout } from 'node:timers/promises';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';
import { lazy } from '../../../support/options.ts';
import type { Service } from '../../../use/serving/service/service.ts';
import { isLoopbackHost, isSameSecret } from '../http/listen.ts';
import { embeddingsError, type HttpFailure, httpFailure, openAiError, Refused } from './failure.ts';
import { onResponseEnd, RequestScope, routeAt, type ServeApp, type ServeEnv } from './request-scope.ts';
import { addCompletions } from './routes/completions.ts';
import { addEmbeddings } from './routes/embeddings.ts';
import { addHome } from './routes/home.ts';
import { addLabelStudio } from './routes/label-studio.ts';
import { addAdapters, addModels, addOperating } from './routes/operating.ts';
import { addPredict } from './routes/predict.ts';
import { addRerank } from './routes/rerank.ts';
import { addTranscriptions } from './routes/transcriptions.ts';
import type { ServerMetrics } from './server-metrics.ts';

export interface AppOptions {
  metrics: ServerMetrics;
  /** The bearer token that clients must send; undefined if no token is required. */
  apiKey?: string;
  /** Whether only programs of this machine may call the server: requests for another Host are refused. */
  isLocal?: boolean;
  allowLoading: boolean;
  /** Origins whose pages may call the server, such as `https://example.com`; `*` for all. Default: none. */
  origins?: readonly string[];
  /** Maximum bytes of a body. */
  maxBody: number;
  /** Maximum concurrent requests. */
  maxRequests: number;
  /** Time limit of a request in seconds. */
  maxSeconds: number;
  version: string;
  /** Called with each line for the log. */
  log(line: object): void;
  /** Called with errors that are bugs in this program. */
  onFault(error: unknown): void;
}

interface ServeHandle {
  app: ServeApp;
  /** Refuses new requests and waits for pending ones. After `seconds`, aborts the pending ones. */
  drain(seconds: number): Promise<void>;
}

/** How long a browser remembers which origins may call the server. */
const PREFLIGHT_SECONDS = 600;

/** How long an aborted request may take to send its response. */
const LAST_WORDS_MS = 1000;

/** Routes that do almost no work and are not logged. */
const LIGHT = ['/', '/health', '/metrics', '/openapi.json'];
/** Routes without data, which need no key: load balancers and browsers have none. */
const OPEN = ['/', '/health'];

/** A service over HTTP, ready to listen. */
export function serveApp(service: Service, options: AppOptions): ServeHandle {
  const {
    metrics,
    apiKey,
    isLocal = false,
    allowLoading,
    origins = [],
    maxBody,
    maxRequests,
    maxSeconds,
    version,
    log,
  } = options;
  const scopes = new Set<RequestScope>();
  let isDraining = false;
  let onIdle = () => {};
  const app: ServeApp = new OpenAPIHono<ServeEnv>({
    defaultHook: (result) => {
      if (!result.success) throw describeRefusal(result.error.issues);
    },
  });

  app.use(async (c, next) => {
    const startedAt = performance.now();
    const scope = new RequestScope(maxSeconds);
    c.set('scope', scope);
    const { incoming, outgoing } = c.env;
    // The request's own signal does not fire if a client disconnects while sending its body.
    onResponseEnd(outgoing, incoming.socket, () => {
      if (!outgoing.writableFinished) scope.gone();
      const seconds = (performance.now() - startedAt) / 1000;
      // The label is the route, not the path, because Prometheus keeps every label forever.
      const { route } = routeAt(app, c.req.path);
      const status = scope.isGone ? 499 : outgoing.statusCode;
      metrics.requests.inc({ route, status });
      metrics.seconds.observe({ route }, seconds);
      if (!LIGHT.includes(c.req.path))
        log({
          time: new Date().toISOString(),
          method: c.req.method,
          path: c.req.path,
          status,
          ms: Math.round(seconds * 1e5) / 100,
          ...scope.facts,
        });
      scope.done();
      scopes.delete(scope);
      metrics.underWay.set(scopes.size);
      if (scopes.size === 0) onIdle();
    });
    await next();
  });
  if (isLocal)
    app.use((c, next) => {
      if (isLoopbackHost(c.req.header('host'))) return next();
      throw new Refused(
        421,
        'Host must be localhost or 127.0.0.1. For other names, set --api-key-env or --host.',
      );
    });
  // Before the key is checked, because a browser asks without it whether it may send the key.
  if (origins.length > 0)
    app.use(
      cors({
        origin: origins.includes('*') ? '*' : [...origins],
        allowHeaders: ['Authorization', 'Content-Type'],
        exposeHeaders: ['Retry-After'],
        maxAge: PREFLIGHT_SECONDS,
      }),
    );
  app.use(async (c, next) => {
    if (OPEN.includes(c.req.path)) return next();
    if (apiKey !== undefined && !shows(c.req.header('authorization'), apiKey)) {
      c.header('WWW-Authenticate', 'Bearer');
      throw new Refused(401, 'Authorization must be "Bearer" and the API key of this server.');
    }
    if (LIGHT.includes(c.req.path)) return next();
    if (isDraining) throw new Refused(503, 'The server is stopping.');
    if (scopes.size >= maxRequests)
      throw new Refused(
        503,
        `The server handles at most ${maxRequests} requests at a time. Try again later.`,
      );
    const scope = c.get('scope');
    scopes.add(scope);
    metrics.underWay.set(scopes.size);
    // The body of a disconnected client may never end, so this does not wait for it.
    await Promise.race([next(), scope.ended]);
  });
  const limitUnsaid = bodyLimit({
    maxSize: maxBody,
    onError: () => {
      throw tooLarge(maxBody);
    },
  });
  app.use(async (c, next) => {
    const { 'content-length': said, 'transfer-encoding': encoding } = c.env.incoming.headers;
    // Node enforces the declared length of a body. Counting the bytes would turn the body into a stream.
    if (said === undefined || encoding !== undefined) return limitUnsaid(c, next);
    if (Number(said) > maxBody) throw tooLarge(maxBody);
    await next();
  });
  app.use(async (c, next) => {
    if (!c.req.header('content-type')?.startsWith('application/json')) return next();
    const bytes = await c.req.arrayBuffer();
    // Decoding would replace invalid bytes, and the model would answer for another text.
    if (!isUtf8(bytes))
      throw new Refused(400, 'The request body is not valid UTF-8.', undefined, 'invalid_json');
    Object.assign(c.req.bodyCache, { text: Promise.resolve(new TextDecoder().decode(bytes)) });
    await next();
  });
  app.onError((error, c) => {
    const scope = c.get('scope');
    const failure = httpFailure(convertError(error), scope.isGone);
    if (failure.status === 500) options.onFault(error);
    scope.facts.error = failure.message;
    return answered(c, failure);
  });
  app.notFound((c) => {
    const { method, path } = c.req;
    const { methods } = routeAt(app, path);
    if (methods.length === 0)
      return answered(c, {
        status: 404,
        message: `${method} ${path} is not a route. See /openapi.json.`,
      });
    c.header('Allow', methods.join(', '));
    return answered(c, {
      status: 405,
      message: `${path} does not support ${method}. Use ${methods.join(' or ')}.`,
    });
  });

  addHome(app, apiKey !== undefined);
  addOperating(app, service, metrics, () => isDraining);
  addLabelStudio(app, service);
  for (const add of [addPredict, addEmbeddings, addRerank, addModels, addCompletions, addTranscriptions])
    add(app, service);
  if (allowLoading) addAdapters(app, service);
  const hasKey = apiKey !== undefined;
  if (hasKey)
    app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  // Made on first use, because it takes about 10 ms.
  const document = lazy(() =>
    app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: { title: 'adalora serve', version },
      ...(hasKey && { security: [{ bearer: [] }] }),
    }),
  );
  app.get('/openapi.json', (c) => c.json(document()));

  return {
    app,
    async drain(seconds) {
      isDraining = true;
      if (scopes.size === 0) return;
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve;
      });
      const late = new AbortController();
      const { signal } = late;
      await Promise.race([idle, setTimeout(seconds * 1000, undefined, { signal }).catch(() => {})]);
      late.abort();
      if (scopes.size === 0) return;
      for (const scope of scopes) scope.abort(new Refused(503, 'The server stopped before the answer.'));
      // The wait is limited, because a client may not read its response.
      await Promise.race([idle, setTimeout(LAST_WORDS_MS)]);
    },
  };
}

/** Whether a header contains the key as a bearer token; the scheme is case-insensitive. */
function shows(header = '', key: string): boolean {
  const shown = /^bearer +(.*)$/i.exec(header)?.[1] ?? '';
  // Node decodes headers as Latin-1, but most clients send UTF-8.
  const texts = [shown, Buffer.from(shown, 'latin1').toString('utf8')];
  return texts.map((text) => isSameSecret(text, key)).includes(true);
}

function tooLarge(maxBody: number): Refused {
  return new Refused(413, `The body has more than ${maxBody} bytes.`);
}

/** Sends an error in the format of the requested API. */
function answered(c: Context<ServeEnv>, failure: HttpFailure): Response {
  if (failure.retryAfter !== undefined) c.header('Retry-After', `${failure.retryAfter}`);
  if (!c.req.path.startsWith('/v1/')) return c.json(embeddingsError(failure), failure.status as 422);
  // OpenAI's API answers every error in a body with status 400.
  return c.json(openAiError(failure), failure.status === 422 ? 400 : (failure.status as 400));
}

/** Converts Hono's error for a body that is not JSON, or is not declared as JSON. This is the client's error. */
function convertError(error: Error): Error {
  if (!(error instanceof HTTPException)) return error;
  if (error.status === 400)
    return new Refused(400, 'The request body is not valid JSON.', undefined, 'invalid_json');
  if (error.status !== 415) return error;
  return new Refused(415, 'Content-Type must be application/json.');
}

/** Converts the errors that a route's schema finds in a body. */
function describeRefusal(
  issues: readonly { path: PropertyKey[]; message: string; keys?: string[] }[],
): Refused {
  const sentences = issues.map(({ path, message, keys }) => {
    if (keys) return `${keys.map((key) => `\`${[...path, key].join('.')}\``).join(', ')} is not supported.`;
    const subject = path.length > 0 ? `\`${path.join('.')}\`` : 'The request body';
    return `${subject} ${formatPredicate(message)}.`;
  });
  const { path, keys = [] } = issues[0]!;
  return new Refused(422, sentences.join(' '), [...path, ...keys.slice(0, 1)].join('.') || undefined);
}

/** Turns a message into a predicate. The message is Zod's or ours; ours begins with "expected". */
function formatPredicate(message: string): string {
  return message
    .replace(/^Invalid input: expected (\w+), received (\w+)$/, 'must be of type $1, got $2')
    .replace(/^Too (?:big|small): expected \w+ to (be|have) /, 'must $1 ')
    .replace(/^expected /, 'must be ')
    .replace(/^(?=[A-Z])/, 'is invalid: ')
    .replace(/\.$/, '');
}
