import { z } from 'zod';
import { generationConfigSchema } from '../../generation/generation-config.ts';
import type { Problem } from '../../support/problem.ts';
import { languageData } from '../language/data-section.ts';

const given = z.string().min(1);

/** What a causal language model learns from. Names as in TRL's `SFTConfig` where it has them. */
export const causalDataSchema = z.strictObject({
  ...languageData,
  /** Keys of prompt and completion, or of a conversation's messages, in JSON Lines. Default: the usual ones, if there. */
  prompt: given.optional(),
  /** See `prompt`. */
  completion: given.optional(),
  /** See `prompt`. */
  messages: given.optional(),
  /**
   * Key of a list of completions, of which `answer` (default: `answer`) names the right one by its number from 0 or its text. The
   * right one is learnt, and `accuracy` says how often it is the likeliest.
   */
  choices: given.optional(),
  /** See `choices`. */
  answer: given.optional(),
  /** Whether evaluation generates the completion of each prompt and compares it: `exact_match`, `valid_json`, own metrics. */
  predict_with_generate: z.boolean().default(false),
  /** How completions are generated, such as `max_new_tokens`. Default: greedily, as long as the longest one of the set. */
  generation_config: z.strictObject(generationConfigSchema.partial().shape).optional(),
  /** Whether only completions, and in conversations only the assistant's turns, are learnt. */
  completion_only_loss: z.boolean().default(true),
  /** Whether several documents share a row; they do not see each other. */
  packing: z.boolean().default(true),
});

export type CausalData = z.output<typeof causalDataSchema>;

/** Keys of more than one kind of row. */
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
  const expected =
    'the keys of one kind of row (text, prompt and completion, prompt and choices, or messages)';
  return [{ path: ['data'], expected, got: named.join(' as well as ') }];
}
