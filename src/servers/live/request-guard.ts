import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isSameSecret } from '../http/is-same-secret.ts';
import { isOwnHost } from '../http/own-host.ts';

export interface Admitted {
  /** `/`, `/events`, `/stop` etc. */
  path: string;
}

export interface Refused {
  status: number;
}

/**
 * Admits only requests of the server's own user:
 *
 * - The Host must be this machine's own address ({@link isOwnHost}), so other sites cannot reach the server.
 * - The path must begin with a random token, which other users of this machine do not know. It is compared in
 * constant time.
 * - A request that changes something must come from the page itself, if it states its origin.
 */
export class RequestGuard {
  readonly token = randomBytes(24).toString('base64url');

  admit({ method, url = '', headers }: IncomingMessage, port: number): Admitted | Refused {
    if (!isOwnHost(headers.host, port)) return { status: 421 };
    const [, token, path] = /^\/([^/?#]*)(\/[^?#]*)$/.exec(url) ?? [];
    if (!isSameSecret(token ?? '', this.token)) return { status: 404 };
    const isForeign = headers.origin !== undefined && headers.origin !== `http://${headers.host}`;
    if (method !== 'GET' && isForeign) return { status: 403 };
    return { path: path! };
  }
}
