import { type Complaint, shown, UserError } from '../../support/user-error.ts';
import {
  type GenerationConfig,
  type GenerationKey,
  legacyConfig,
  readGenerationConfig,
} from './generation-config.ts';

/** Keys that only affect sampling, or only beam search, with their neutral values. */
const SAMPLING: GenerationConfig = { temperature: 1, top_k: 50, top_p: 1, min_p: undefined };
const BEAMS: GenerationConfig = { early_stopping: false, length_penalty: 1 };

/** Keys that this library does not support although they change the ids, with their neutral values. */
const MISSING: Readonly<Record<string, unknown>> = {
  constraints: undefined,
  diversity_penalty: 0,
  dola_layers: undefined,
  encoder_repetition_penalty: 1,
  exponential_decay_length_penalty: undefined,
  force_words_ids: undefined,
  guidance_scale: 1,
  num_beam_groups: 1,
  penalty_alpha: 0,
  remove_invalid_values: false,
  sequence_bias: undefined,
  stop_strings: undefined,
  token_healing: false,
  watermarking_config: undefined,
};
const MISSING_IN_SAMPLING = { epsilon_cutoff: 0, eta_cutoff: 0, top_h: undefined, typical_p: 1 };

/** Settings of the user that have no effect together, or contradict each other. */
function conflicts(user: GenerationConfig, settings: GenerationSettings, where: string): Complaint[] {
  return [
    ...(settings.do_sample ? [] : without(SAMPLING, user, 'do_sample: true', where)),
    ...(settings.num_beams > 1 ? [] : without(BEAMS, user, 'num_beams of 2 or more', where)),
    ...(settings.do_sample && settings.temperature === 0
      ? [
          {
            where: `${where}: temperature`,
            fault: 'must be above 0, got 0',
            hint: 'For the most likely token every time, set do_sample: false.',
          },
        ]
      : []),
    ...returned(settings, where),
    ...suppressed(settings, where),
  ];
}

function without(keys: GenerationConfig, user: GenerationConfig, needed: string, where: string): Complaint[] {
  return (Object.keys(keys) as GenerationKey[])
    .filter((key) => user[key] !== undefined && user[key] !== keys[key])
    .map((key) => ({
      where: `${where}: ${key}`,
      fault: `${shown(user[key])} needs ${needed}`,
      hint: `Set that, or remove ${key}.`,
    }));
}

function returned({ num_return_sequences, num_beams, do_sample }: GenerationSettings, where: string) {
  const most = num_beams > 1 ? num_beams : do_sample ? Number.POSITIVE_INFINITY : 1;
  if (num_return_sequences <= most) return [];
  const hint = 'Raise num_beams, or set do_sample: true.';
  return [
    {
      where: `${where}: num_return_sequences`,
      fault: `must be at most ${most}, the number of texts found, got ${num_return_sequences}`,
      hint,
    },
  ];
}

function suppressed(settings: GenerationSettings, where: string): Complaint[] {
  const banned = settings.suppress_tokens ?? [];
  return (['forced_bos_token_id', 'forced_eos_token_id'] as const)
    .filter((key) => settings[key] !== undefined && [settings[key]].flat().every((id) => banned.includes(id)))
    .map((key) => ({
      where: `${where}: ${key}`,
      fault: `${shown(settings[key])} is suppressed by suppress_tokens`,
      hint: `Remove it from suppress_tokens or from ${key}. To delay the end, use min_new_tokens.`,
    }));
}

/** Unsupported settings in a model's file. Ignoring them would change the ids without notice. */
function missing(file: unknown, isSampled: boolean, where: string): Complaint[] {
  const asked = Object(file) as Record<string, unknown>;
  const neutral = isSampled ? { ...MISSING, ...MISSING_IN_SAMPLING } : MISSING;
  return Object.entries(neutral)
    .filter(([key, value]) => (asked[key] ?? value) !== value)
    .map(([key, value]) => ({
      where: `${where}: ${key}`,
      fault:
        value === undefined
          ? `is not supported, got ${shown(asked[key])}`
          : `must be ${value}, the only supported value, got ${shown(asked[key])}`,
      hint: 'Remove it from the file to generate without it.',
    }));
}

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
  throw new UserError(
    problems.map((problem) => new UserError(problem).message).join('\n'),
    'invalid_argument',
  );
}

function listed(tokens: number | number[] | undefined): number[] | undefined {
  return tokens === undefined ? undefined : [tokens].flat();
}
