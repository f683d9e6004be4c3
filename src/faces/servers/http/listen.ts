import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserError } from '../../../support/user-error.ts';

/** Time limits of every server. They are checked every second; Node's default is every 30 seconds. */
export const TIMEOUTS = { requestTimeout: 30_000, headersTimeout: 10_000, connectionsCheckingInterval: 1000 };

/** The loopback address, which other machines cannot reach. */
const LOOPBACK = '127.0.0.1';

/**
 * Starts listening.
 *
 * @param host by default this machine's own address
 * @param hint the instruction in the error message
 * @throws UserError if the port or the host is not available
 */
export function listen(
  server: Server,
  port: number,
  hint = 'Remove --port to use any free port.',
  host = LOOPBACK,
): Promise<AddressInfo> {
  return new Promise((done, fail) => {
    const refuse = ({ code }: NodeJS.ErrnoException) => {
      const fault = code === 'EADDRINUSE' ? 'is in use' : `was refused by the system (${code})`;
      fail(
        new UserError({ where: `${host === LOOPBACK ? '' : `--host ${host} `}--port ${port}`, fault, hint }),
      );
    };
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      done(server.address() as AddressInfo);
    });
  });
}
