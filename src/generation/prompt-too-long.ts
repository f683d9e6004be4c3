import { UserError } from '../support/user-error.ts';

/** Thrown if a prompt has more tokens than the model has positions, or than the limit allows. */
export class PromptTooLong extends UserError {
  override name = 'PromptTooLong';
}
