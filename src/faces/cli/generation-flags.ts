import type { Command } from 'commander';
import type { GenerationInput } from '../../program/generation/prompt.ts';
import { number, repeated } from './flags.ts';

/** Flags for text generation. */
export interface GenerationFlags {
  set: string[];
  maxNewTokens?: number;
  sample?: boolean;
  temperature?: number;
  topK?: number;
  topP?: number;
  numBeams?: number;
  seed?: number;
}

/** Adds the flags of {@link GenerationFlags}; they are named like the keys of transformers' `GenerationConfig`. */
export function addGenerationFlags(command: Command): Command {
  return command
    .option(
      '--max_new_tokens, --max-new-tokens <count>',
      "maximum number of new tokens (default: the model's setting, else 256)",
      number,
    )
    .option('--sample', 'sample tokens by probability (do_sample)')
    .option('--no-sample', 'always take the most likely token')
    .option('--temperature <number>', 'sampling temperature; below 1 prefers likely tokens', number)
    .option('--top_k, --top-k <count>', 'sample from the k most likely tokens', number)
    .option(
      '--top_p, --top-p <share>',
      'sample from the most likely tokens with this total probability',
      number,
    )
    .option('--num_beams, --num-beams <count>', 'number of beams of the beam search', number)
    .option('--seed <number>', 'seed of all random choices (default: 0)', number)
    .option(
      '--set <key=value>',
      'set any key of GenerationConfig, as in --set no_repeat_ngram_size=3; null unsets it (repeatable)',
      repeated,
      [],
    );
}

/** Converts the flags to a config. The generator checks the values. */
export async function generationInput(flags: GenerationFlags): Promise<GenerationInput> {
  const { Document } = await import('yaml');
  const { applySetting } = await import('./apply-setting.ts');
  const document = new Document({});
  for (const setting of flags.set) applySetting(document, setting);
  const named: GenerationInput = {
    max_new_tokens: flags.maxNewTokens,
    do_sample: flags.sample,
    temperature: flags.temperature,
    top_k: flags.topK,
    top_p: flags.topP,
    num_beams: flags.numBeams,
  };
  const settings = Object.entries(named).filter(([, value]) => value !== undefined);
  return { ...document.toJS(), ...Object.fromEntries(settings) };
}
