import { UserError } from '../../support/user-error.ts';

/** The requested object does not exist. */
export class NotThere extends UserError {
  override name = 'NotThere';
}
