import type { Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Service } from '../../serving/service/service.ts';
import { type AppOptions, serveApp } from './serve-app.ts';
import { ServerMetrics } from './server-metrics.ts';
import { startServer } from './start-server.ts';

const CARD = { folder: 'x', created: 0, labels: [], writes: false };
const SERVICE: Service = {
  models: async () => [{ ...CARD, name: 'cola', parent: 'base' }],
  predict: async ({ inputs }) => inputs.map(() => [{ label: 'good', score: 1 }]),
  write: async () => ({ text: 'text', finish: 'stop', promptTokens: 1, newTokens: 1 }),
  load: async () => {},
  unload: async () => {},
  close: async () => {},
};

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

/** Serves over HTTP, and asks. */
async function served(options: Partial<AppOptions> = {}, service: Partial<Service> = {}) {
  const { app } = serveApp(
    { ...SERVICE, ...service },
    {
      ...{ metrics: new ServerMetrics(), allowLoading: true, maxBody: 1000, maxRequests: 10 },
      ...{ maxSeconds: 10, version: '0', log() {}, onFault() {} },
      ...options,
    },
  );
  const started = await startServer(app, '127.0.0.1', 0);
  server = started.server;
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    const body = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body };
  };
  const post = (path: string, body: unknown) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { ask, post };
}

describe('metrics', () => {
  it('call requests by the routes that there are, also those that are refused', async () => {
    const { ask } = await served({ apiKey: 'key' });
    const headers = { authorization: 'Bearer key' };
    await ask('/made-up');
    await ask('/v1/made-up', { headers });
    await ask('/v1/models/made-up');
    await ask('/v1/models/made-up', { headers });
    await ask('/predict', { method: 'POST', body: 'x'.repeat(2000), headers });
    await ask('/predict', { headers });
    const { body } = await ask('/metrics', { headers });
    const counts = [...body.matchAll(/^adalora_requests_total\{route="(.*)",status="(\d+)"\} (\d+)$/gm)];
    expect(counts.map(([, ...parts]) => parts.join(' '))).toEqual([
      'none 401 1',
      'none 404 1',
      '/v1/models/{model} 401 1',
      '/v1/models/{model} 404 1',
      '/predict 413 1',
      '/predict 405 1',
    ]);
  });
});
