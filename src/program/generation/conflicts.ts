import type { Complaint } from '../../support/user-error.ts';
import type { GenerationConfig, GenerationKey } from './generation-config.ts';
import type { GenerationSettings } from './generation-settings.ts';
import { shown } from './read-generation-config.ts';

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
export function conflicts(user: GenerationConfig, settings: GenerationSettings, where: string): Complaint[] {
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
export function missing(file: unknown, isSampled: boolean, where: string): Complaint[] {
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
