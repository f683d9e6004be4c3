import { UserError } from '../support/user-error.ts';

/** A prompt has more tokens than the model has positions, or than the limit. */
export class PromptTooLong extends UserError {
  override name = 'PromptTooLong';
}
