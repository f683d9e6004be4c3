import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { listen, TIMEOUTS } from '../http/listen.ts';
import type { ServeApp } from './app-types.ts';

/** Starts listening with an app. Throws a UserError if the port or the host is not available. */
export async function startServer(
  app: ServeApp,
  host: string,
  port: number,
): Promise<{ server: Server; url: string }> {
  const options = { fetch: app.fetch, hostname: host, serverOptions: TIMEOUTS };
  const server = createAdaptorServer(options) as Server;
  const at = await listen(server, port, 'Choose another with --port, or 0 for any.', host);
  return { server, url: `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}` };
}
