import { UserError } from '../../support/user-error.ts';
import { conflicts, missing } from './conflicts.ts';
import type { GenerationConfig } from './generation-config.ts';
import { legacyConfig } from './legacy-config.ts';
import { readGenerationConfig } from './read-generation-config.ts';

/** The default values in transformers. */
const DEFAULTS = {
  min_length: 0,
  do_sample: false,
  num_beams: 1,
  early_stopping: false as boolean | 'never',
  length_penalty: 1,
  no_repeat_ngram_size: 0,
  encoder_no_repeat_ngram_size: 0,
  repetition_penalty: 1,
  temperature: 1,
  top_k: 50,
  top_p: 1,
  renormalize_logits: false,
  num_return_sequences: 1,
};

/** The values of keys that the user turns off with null. Except for `top_k`, these are the defaults. */
const OFF: Readonly<Record<string, unknown>> = { ...DEFAULTS, top_k: 0 };

/** A generation config with defaults filled in. The end tokens are a list. */
export type GenerationSettings = typeof DEFAULTS &
  Omit<GenerationConfig, keyof typeof DEFAULTS | 'eos_token_id' | 'forced_eos_token_id'> & {
    eos_token_id?: readonly number[];
    forced_eos_token_id?: readonly number[];
  };

/**
 * Parsed JSON: the user's keys, generation_config.json, and config.json, which is used if there is no
 * generation_config.json. Each is optional.
 */
export interface GenerationSources {
  user?: unknown;
  generationConfig?: unknown;
  modelConfig?: unknown;
}

/**
 * Merges the sources like transformers. The user's keys override the model's, which override the defaults. A
 * null from the user turns off the model's value (`forced_eos_token_id: null`). A null in the model's file is
 * ignored.
 *
 * @param where the location of the user's keys, for messages
 * @throws UserError with a line for each key that is invalid, unknown, unsupported or without effect
 */
export function generationSettings(
  { user = {}, generationConfig, modelConfig }: GenerationSources,
  where = 'generation',
): GenerationSettings {
  const isLegacy = generationConfig === undefined;
  const fileName = isLegacy ? 'config.json' : 'generation_config.json';
  const file = isLegacy ? legacyConfig(modelConfig ?? {}) : generationConfig;
  const userConfig = readGenerationConfig(user, where, 'person');
  const model = readGenerationConfig(file, fileName, 'file');
  const off = Object.fromEntries(userConfig.nulls.map((key) => [key, OFF[key]]));
  const merged = { ...DEFAULTS, ...model.config, ...off, ...userConfig.config };
  const settings: GenerationSettings = {
    ...merged,
    pad_token_id: merged.pad_token_id ?? listed(merged.eos_token_id)?.[0],
    eos_token_id: listed(merged.eos_token_id),
    forced_eos_token_id: listed(merged.forced_eos_token_id),
  };
  const problems = [
    ...userConfig.problems,
    ...model.problems,
    ...conflicts(userConfig.config, settings, where),
    ...missing(file, settings.do_sample, fileName),
  ];
  if (problems.length === 0) return settings;
  throw new UserError(problems.map((problem) => new UserError(problem).message).join('\n'));
}

function listed(tokens: number | number[] | undefined): number[] | undefined {
  return tokens === undefined ? undefined : [tokens].flat();
}
