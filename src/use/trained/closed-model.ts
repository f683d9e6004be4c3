import { UserError } from '../../support/user-error.ts';

/** The error for using a closed model. */
export function closedModel(where: string): UserError {
  return new UserError({ where, fault: 'is called on a model that was closed' });
}
