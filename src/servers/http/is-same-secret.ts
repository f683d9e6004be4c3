import { createHash, timingSafeEqual } from 'node:crypto';

/** Compares texts in constant time. Digests are compared, because the comparison needs equal lengths. */
export function isSameSecret(candidate: string, secret: string): boolean {
  return timingSafeEqual(digest(candidate), digest(secret));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
