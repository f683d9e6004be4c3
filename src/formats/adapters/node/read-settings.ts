import type { z } from 'zod';
import { UserError } from '../../../support/user-error.ts';
import { readJson } from '../../node/read-text.ts';

/**
 * Reads a settings file of an adapter.
 *
 * @param what a noun for messages, such as "the configuration of ..."
 * @throws UserError
 */
export function readSettings<Settings>(path: string, schema: z.ZodType<Settings>, what: string): Settings {
  const settings = schema.safeParse(readJson(path, what));
  if (settings.success) return settings.data;
  const [{ path: key, message }] = settings.error.issues;
  throw new UserError(`${path}: ${key.length > 0 ? `${key.join('.')}: ` : ''}${message}`);
}
