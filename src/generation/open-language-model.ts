import { headNamed } from '../models/heads/registry.ts';
import { CausalLanguageModel } from './causal-language-model.ts';
import { EncoderDecoderLanguageModel } from './encoder-decoder-language-model.ts';
import type { LanguageModel, LanguageModelOptions } from './language-model.ts';
import { rereadingModel } from './rereading-model.ts';
import type { TunedModel } from './tuned-model.ts';

/** Opens a language model with its cache. Release it after use. */
export async function openLanguageModel(
  tuned: TunedModel,
  options: LanguageModelOptions = {},
): Promise<LanguageModel & { release(): Promise<void> }> {
  const { headKind, config } = tuned.model;
  if (headNamed(headKind).reads === 'encoder-decoder')
    return EncoderDecoderLanguageModel.open(tuned, options);
  const model = await CausalLanguageModel.open(tuned, options);
  return config.rereadAbove === undefined ? model : rereadingModel(model, config.rereadAbove);
}
