import { UserError } from '../../support/user-error.ts';
import type { SlowTokenizer } from './slow-tokenizer.ts';

/**
 * Reads a text file of a tokenizer, with line ends as `\n`.
 *
 * @throws UserError if it is missing or not UTF-8
 */
export function textFile(slow: SlowTokenizer, name: string): string {
  const bytes = slow.file(name);
  const where = slow.where(name);
  if (!bytes) throw new UserError({ where, fault: 'does not exist' });
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r\n?/g, '\n');
  } catch {
    throw new UserError({ where, fault: 'is not UTF-8 text' });
  }
}

/**
 * Reads the object in a JSON file of a tokenizer.
 *
 * @throws UserError if the file is missing or does not contain an object
 */
export function jsonFile(slow: SlowTokenizer, name: string): object {
  const where = slow.where(name);
  let value: unknown;
  try {
    value = JSON.parse(textFile(slow, name));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError({ where, fault: `is not valid JSON: ${(error as Error).message}` });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new UserError({ where, fault: 'is not a JSON object' });
}
