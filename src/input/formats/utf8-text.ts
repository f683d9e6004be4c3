import { UserError } from '../../support/user-error.ts';

/** Decodes text. Throws a UserError if it is not UTF-8. */
export function utf8Text(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError({ where, fault: 'is not UTF-8 text' });
  }
}
