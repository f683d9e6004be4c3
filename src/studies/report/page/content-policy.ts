import { Sha256 } from '../../../support/sha256.ts';
import { STYLE } from './style.ts';

/**
 * A content security policy that allows only the page's own style and script, and no loading. Even if text from a run's
 * files became markup, it could do no harm.
 *
 * @param more further directives
 */
export function contentPolicy(script: string, ...more: readonly string[]): string {
  return [
    "default-src 'none'",
    'img-src data:',
    `style-src ${computeHash(STYLE)}`,
    `script-src ${computeHash(script)}`,
    "base-uri 'none'",
    ...more,
  ].join('; ');
}

function computeHash(text: string): string {
  const bytes = new Sha256().update(text).digest('hex').match(/../g)!;
  return `'sha256-${btoa(bytes.map((byte) => String.fromCharCode(Number.parseInt(byte, 16))).join(''))}'`;
}
