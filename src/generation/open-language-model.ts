import { CausalLanguageModel } from './causal-language-model.ts';
import { EncoderDecoderLanguageModel } from './encoder-decoder-language-model.ts';
import type { LanguageModel } from './language-model.ts';
import type { TunedModel } from './tuned-model.ts';

export interface LanguageModelOptions {
  /** Whether a decoder reads of one prompt alone what is new: see `GeneratorOptions`. */
  continues?: boolean;
}

/** A language model with its cache. Release it after use. */
export function openLanguageModel(
  tuned: TunedModel,
  { continues = false }: LanguageModelOptions = {},
): Promise<LanguageModel & { release(): Promise<void> }> {
  return tuned.model.headKind === 'SEQ_2_SEQ_LM'
    ? EncoderDecoderLanguageModel.open(tuned)
    : CausalLanguageModel.open(tuned, continues);
}
