import { methodOf } from '../run/config/method-of.ts';
import type { ParsedConfig } from '../run/config/run-config.ts';
import { UserError } from '../support/user-error.ts';
import type { Family } from '../trained/bind-model.ts';
import { configForTexts } from '../trained/config-for-texts.ts';

/**
 * The family of a run's model with the positions that remain for texts.
 *
 * @throws UserError if the method's own tokens take all of them
 */
export function shortenedFamily({ definition, config }: Family, run: ParsedConfig): Family {
  const { definition: method, settings } = methodOf(run);
  const count = method.virtualTokens?.(settings).count ?? 0;
  const shortened = configForTexts(config, count);
  if (shortened.maxLength > 0) return { definition, config: shortened };
  throw new UserError({
    key: `${run.method}.num_virtual_tokens`,
    fault: `is ${count}, but the model has only ${config.maxLength} positions`,
  });
}
