import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isSameSecret } from '../is-same-secret.ts';
import { isOwnHost } from './own-host.ts';

/** An admitted request: its path below the token. */
export interface Admitted {
  /** `/`, `/events`, `/stop`, ... */
  path: string;
}

/** The reason for refusing a request, as a status. */
export interface Refused {
  status: number;
}

/**
 * Admits requests to a server for its own user only:
 *
 * - Their Host is this machine's own address ({@link isOwnHost}), and other sites do not know the token.
 * - Their path begins with a random token, compared in constant time. Other users of this machine do not know it.
 * - Requests that change something come from the page itself, if they state their origin.
 */
export class RequestGuard {
  readonly token = randomBytes(24).toString('base64url');

  admit({ method, url = '', headers }: IncomingMessage, port: number): Admitted | Refused {
    if (!isOwnHost(headers.host, port)) return { status: 421 };
    const [, token, path] = /^\/([^/?#]*)(\/[^?#]*)$/.exec(url) ?? [];
    if (!isSameSecret(token ?? '', this.token)) return { status: 404 };
    const isForeign = headers.origin !== undefined && headers.origin !== `http://${headers.host}`;
    if (method !== 'GET' && isForeign) return { status: 403 };
    return { path };
  }
}
