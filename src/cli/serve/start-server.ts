import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { UserError } from '../../support/user-error.ts';
import type { ServeApp } from './app-types.ts';

/** Timeouts are checked every second. Node's default is every 30 seconds. */
const TIMEOUTS = { requestTimeout: 30_000, headersTimeout: 10_000, connectionsCheckingInterval: 1000 };

/** Starts listening with an app. Throws a UserError if the port or the host is not available. */
export function startServer(
  app: ServeApp,
  host: string,
  port: number,
): Promise<{ server: Server; url: string }> {
  return new Promise((done, fail) => {
    const server = serve(
      { fetch: app.fetch, hostname: host, port, serverOptions: TIMEOUTS },
      ({ address, port, family }: AddressInfo) => {
        server.off('error', refuse);
        done({ server, url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}` });
      },
    ) as Server;
    const refuse = ({ code, message }: NodeJS.ErrnoException) => {
      const hint = 'Choose another with --port, or 0 for any.';
      fail(
        new UserError({
          where: `--host ${host} --port ${port}`,
          fault: code === 'EADDRINUSE' ? 'is in use' : `was refused by the system (${message})`,
          hint,
        }),
      );
    };
    server.once('error', refuse);
  });
}
