import type { TextTokenizer } from '../../src/input/text/tokenizer.ts';
import { Texts } from '../../src/program/modalities/texts.ts';

/** The texts of a model with this tokenizer, without a chat template. */
export function plainTexts(
  tokenizer: TextTokenizer,
  maxLength: number,
  vocabSize = tokenizer.vocabSize,
): Texts {
  const chatTemplate = () => {
    throw new Error('no chat template');
  };
  return new Texts({ tokenizer, maxLength, vocabSize, chatTemplate });
}
