import { isObject } from '../../support/is-object.ts';
import { GENERATION_KEYS } from './generation-config.ts';

/** Config sections that may describe the decoder of a composed model, in transformers' order. */
const DECODERS = ['decoder', 'generator', 'text_config'];

/**
 * The generation config in a model's config.json, for folders without a generation_config.json. Keys missing
 * at the top level are taken from the decoder's section. transformers: `GenerationConfig.from_model_config`.
 */
export function legacyConfig(modelConfig: unknown): unknown {
  if (!isObject(modelConfig)) return modelConfig;
  const decoder = DECODERS.map((name) => modelConfig[name]).find(isObject) ?? {};
  const forced =
    modelConfig.force_bos_token_to_be_generated === true
      ? { forced_bos_token_id: modelConfig.bos_token_id }
      : {};
  const inherited = GENERATION_KEYS.filter((key) => (modelConfig[key] ?? null) === null).map((key) => [
    key,
    decoder[key],
  ]);
  return { ...modelConfig, ...Object.fromEntries(inherited), ...forced };
}

/** The generation_config.json that transformers would write for a model that lacks one. */
export function generationConfigOf(modelConfig: unknown): Record<string, unknown> {
  const legacy = Object(legacyConfig(modelConfig)) as Record<string, unknown>;
  const known = GENERATION_KEYS.filter((key) => (legacy[key] ?? null) !== null);
  return { _from_model_config: true, ...Object.fromEntries(known.map((key) => [key, legacy[key]])) };
}
