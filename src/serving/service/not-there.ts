import { UserError } from '../../support/user-error.ts';

/** Thrown if the requested object does not exist. */
export class NotThere extends UserError {
  override name = 'NotThere';
}
