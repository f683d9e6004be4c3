import { UserError } from '../support/user-error.ts';

/** The error for a missing package of the engine. */
export function notInstalled(engine: string, flags = ''): UserError {
  return new UserError({
    where: engine,
    fault: 'is not installed',
    hint: `Run: npm install ${engine}@1${flags}`,
  });
}
