import { createHash, timingSafeEqual } from 'node:crypto';

/** Compares texts in constant time. Digests are compared, because the comparison needs equal lengths. */
export function isSameSecret(candidate: string, secret: string): boolean {
  return timingSafeEqual(digest(candidate), digest(secret));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Whether a request's Host is this machine's own address. Without this check, a page under another name that
 * resolves to 127.0.0.1 could send requests (DNS rebinding).
 */
export function isOwnHost(host: string | undefined, port: number): boolean {
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}
