import { TextTokenizer, type TokenizerOptions } from '../../src/input/text/tokenizer.ts';
import { Texts } from '../../src/program/modalities/texts.ts';
import { loadTokenizer } from './load-tokenizer.ts';

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

/** Makes the texts of the model in a folder. Default length: the tokenizer's. */
export async function textsIn(
  folder: string,
  options: TokenizerOptions,
): Promise<(maxLength?: number) => Texts> {
  const tokenizer = await loadTokenizer(folder, options);
  return (maxLength = tokenizer.modelMaxLength) => plainTexts(tokenizer, maxLength, options.vocabSize);
}

/** The texts of the content of a tokenizer.json. */
export function textsOfJson(json: object, maxLength: number): Texts {
  return plainTexts(new TextTokenizer(json, {}, { typeVocabSize: 2 }), maxLength);
}

/** Batches of texts that are padded with 0. */
export const PADDED_TEXTS = plainTexts({ padId: 0 } as TextTokenizer, 128, 0).batches;
