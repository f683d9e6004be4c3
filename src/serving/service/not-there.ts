import { UserError } from '../../support/user-error.ts';

/** What a request names is not there. */
export class NotThere extends UserError {
  override name = 'NotThere';
}
