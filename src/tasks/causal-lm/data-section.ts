import { z } from 'zod';
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
  /** Whether only completions, and in conversations only the assistant's turns, are learnt. */
  completion_only_loss: z.boolean().default(true),
  /** Whether several documents share a row; they do not see each other. */
  packing: z.boolean().default(true),
});

export type CausalData = z.output<typeof causalDataSchema>;

/** Keys of more than one kind of row. */
export function contentProblems({ text, prompt, completion, messages }: CausalData): Problem[] {
  const kinds = {
    text: text !== undefined,
    'prompt and completion': prompt !== undefined || completion !== undefined,
    messages: messages !== undefined,
  };
  const named = Object.entries(kinds).flatMap(([kind, isNamed]) => (isNamed ? [kind] : []));
  if (named.length < 2) return [];
  const expected = 'the keys of one kind of row (text, prompt and completion, or messages)';
  return [{ path: ['data'], expected, got: named.join(' as well as ') }];
}
