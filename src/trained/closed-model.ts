import { UserError } from '../support/user-error.ts';

/** Why a model no longer works. */
export function closedModel(where: string): UserError {
  return new UserError({ where, expected: 'an open model', got: 'one that was closed' });
}
