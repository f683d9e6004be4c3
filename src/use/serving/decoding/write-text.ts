import type { LanguageModel } from '../../../program/generation/language-model.ts';
import type {
  Generated,
  GenerateTextOptions,
  GenerationInput,
  Prompt,
} from '../../../program/generation/prompt.ts';
import { TextGenerator } from '../../../program/generation/text-generator.ts';
import { requireTexts } from '../../../program/modalities/texts.ts';
import type { ServedModel } from '../served-model.ts';

export interface ServedWriteOptions extends GenerateTextOptions {
  /** Called with the number of tokens read: first the whole prompt, then one for each chosen token except the last. */
  onRead?: (tokens: number, isPrompt: boolean) => void;
}

/** Generates text with a language model and the settings of a served model. */
export function writeText(
  { trained }: ServedModel,
  language: LanguageModel,
  prompt: Prompt,
  input: GenerationInput,
  { onRead, ...options }: ServedWriteOptions,
): Promise<Generated> {
  const { modality, notes, generationFiles } = trained.parts;
  const generator = new TextGenerator({
    model: counting(language, onRead),
    texts: requireTexts(modality),
    files: generationFiles(),
    isChat: notes?.data.messages !== undefined,
    close: async () => {},
  });
  return generator.generate(prompt, input, options);
}

/** Wraps a language model so that it reports what it reads. */
function counting(language: LanguageModel, onRead: ServedWriteOptions['onRead'] = () => {}): LanguageModel {
  const { vocabSize, maxPositions, encode } = language;
  return {
    vocabSize,
    maxPositions,
    ...(encode && {
      encode(tokens, rows, mask) {
        onRead(tokens.length, true);
        return encode.call(language, tokens, rows, mask);
      },
    }),
    read(tokens, rows, reading) {
      const isFirst = reading.mask !== undefined;
      // The first token of an encoder-decoder only starts its output, so it does not count.
      if (!isFirst || !encode) onRead(tokens.length, isFirst);
      return language.read(tokens, rows, reading);
    },
  };
}
