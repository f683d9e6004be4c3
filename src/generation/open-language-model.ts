import { headNamed } from '../models/heads/registry.ts';
import { CausalLanguageModel } from './causal-language-model.ts';
import { EncoderDecoderLanguageModel } from './encoder-decoder-language-model.ts';
import type { LanguageModel } from './language-model.ts';
import { rereadingModel } from './rereading-model.ts';
import type { TunedModel } from './tuned-model.ts';

export interface LanguageModelOptions {
  /**
   * Whether a single prompt reuses the cache for its common start with the previous prompt; see
   * `GeneratorOptions`.
   */
  continues?: boolean;
}

/** Opens a language model with its cache. Release it after use. */
export async function openLanguageModel(
  tuned: TunedModel,
  { continues = false }: LanguageModelOptions = {},
): Promise<LanguageModel & { release(): Promise<void> }> {
  const { headKind, config } = tuned.model;
  if (headNamed(headKind).reads === 'encoder-decoder') return EncoderDecoderLanguageModel.open(tuned);
  const model = await CausalLanguageModel.open(tuned, continues);
  return config.rereadAbove === undefined ? model : rereadingModel(model, config.rereadAbove);
}
