import { createHash, timingSafeEqual } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserError } from '../../../support/user-error.ts';

/** Compares texts in constant time. Digests are compared, because the comparison needs equal lengths. */
export function isSameSecret(candidate: string, secret: string): boolean {
  return timingSafeEqual(digest(candidate), digest(secret));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Whether a request's Host names the loopback address, with any port, because ports are forwarded. Without this check,
 * a page under another name that resolves to 127.0.0.1 could send requests (DNS rebinding).
 */
export function isLoopbackHost(host = ''): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)(:\d+)?$/i.test(host);
}

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
