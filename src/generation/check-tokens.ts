import { UserError } from '../support/user-error.ts';
import type { GenerationSettings } from './generation-settings.ts';

/** Keys whose tokens the model must be able to produce. */
const PRODUCED = ['forced_bos_token_id', 'forced_eos_token_id', 'bad_words_ids'] as const;

/** @throws UserError with a line for each key that names a token beyond the vocabulary */
export function checkTokens(settings: GenerationSettings, vocabSize: number): void {
  const problems = PRODUCED.flatMap((key) => {
    const beyond = [settings[key] ?? []].flat(2).find((id) => id >= vocabSize);
    if (beyond === undefined) return [];
    const expected = `ids of tokens below ${vocabSize}, the size of the model's vocabulary`;
    return [new UserError({ where: key, expected, got: `${beyond}` }).message];
  });
  if (problems.length > 0) throw new UserError(problems.join('\n'));
}
