import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isSameSecret } from '../is-same-secret.ts';
import { isOwnHost } from './own-host.ts';

/** A request that may be answered: what it asks for below the token. */
export interface Admitted {
  /** `/`, `/events`, `/stop`, ... */
  path: string;
}

/** Why a request is refused, as a status. */
export interface Refused {
  status: number;
}

/**
 * Admits requests to a server that only its own user may talk to:
 *
 * - Their Host is this machine's own address ({@link isOwnHost}). That a page of another cannot know the token is the
 *   second wall.
 * - Their path begins with a random token, compared in constant time. Other users of this machine do not know it.
 * - Requests that change something come from the page itself, if they say where from.
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
