import { z } from 'zod';
import { generationConfigSchema } from '../../program/generation/generation-config.ts';
import type { Problem } from '../../support/user-error.ts';
import { languageData } from '../language/data-section.ts';

const nonEmpty = z.string().min(1);

/** Data of a causal language model. Names as in TRL's `SFTConfig` where it has them. */
export const causalDataSchema = z.strictObject({
  ...languageData,
  /** JSON key of the prompt. Default: `prompt`. */
  prompt: nonEmpty.optional(),
  /** JSON key of the completion. Default: `completion`. */
  completion: nonEmpty.optional(),
  /** JSON key of a conversation's messages. Default: `messages`. */
  messages: nonEmpty.optional(),
  /**
   * JSON key of a list of completions, for multiple choice. The model is trained on the correct one. `accuracy` is the
   * share of rows in which the model finds the correct completion most likely.
   */
  choices: nonEmpty.optional(),
  /** JSON key of the correct choice: its number from 0, or its text. Default: `answer`. */
  answer: nonEmpty.optional(),
  /** Generate and score completions in evaluations: `exact_match`, `valid_json` and your own metrics. */
  predict_with_generate: z.boolean().default(false),
  /** Generation settings, such as `max_new_tokens`. Default: greedy, up to the longest reference completion. */
  generation_config: z.strictObject(generationConfigSchema.partial().shape).optional(),
  /** Train on completions and the assistant's turns only. */
  completion_only_loss: z.boolean().default(true),
  /** Pack several documents into a row. They do not attend to each other. */
  packing: z.boolean().default(true),
});

export type CausalData = z.output<typeof causalDataSchema>;

/** Finds problems of the section, such as keys for different row formats. */
export function contentProblems(data: CausalData): Problem[] {
  const { text, prompt, completion, messages, choices, answer } = data;
  const kinds = {
    text: text !== undefined,
    'prompt and completion': completion !== undefined || (prompt !== undefined && choices === undefined),
    'prompt and choices': choices !== undefined || answer !== undefined,
    messages: messages !== undefined,
  };
  const named = Object.entries(kinds).flatMap(([kind, isNamed]) => (isNamed ? [kind] : []));
  if (named.length < 2) return [];
  const fault = `mixes the keys of ${named.join(' and of ')}`;
  const hint = 'Keep one: text, prompt and completion, prompt and choices, or messages.';
  return [{ path: ['data'], fault, hint }];
}
