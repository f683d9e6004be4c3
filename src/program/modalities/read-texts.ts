import { type Files, pathIn } from '../../input/formats/files.ts';
import { buildTokenizer, readTokenizerFiles } from '../../input/text/build-tokenizer.ts';
import {
  CHAT_TEMPLATE_FILE,
  type ChatTemplate,
  readChatTemplate,
} from '../../input/text/chat/chat-template.ts';
import { maxLength } from '../../input/text/cut-text.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import { lazy } from '../../support/options.ts';
import { Texts } from './texts.ts';

/** The maximum number of tokens of an example, if neither the config nor the model sets a lower limit. */
const DEFAULT_MAX_LENGTH = 1024;

/** The files that texts need beside a model. */
interface ReadTexts {
  /** The files by name. */
  files: ReadonlyMap<string, Uint8Array>;
  /**
   * Builds the texts of a model.
   *
   * @param config the model's, with the positions that remain for texts
   * @param requested `data.max_length`, or the value under another name (`key`)
   * @throws UserError for missing or damaged files, and for a length that the model does not support
   */
  texts(config: Pick<CommonConfig, 'vocabSize' | 'maxLength'>, requested?: number, key?: string): Texts;
}

/**
 * Reads the files that texts need.
 *
 * @param forWriting the folder of the chat template
 * @param vocabulary the base model's, for the checks of ids
 * @throws UserError for files that are too large
 */
export async function readTexts(
  files: Files,
  forWriting: Files,
  vocabulary: Pick<CommonConfig, 'vocabSize' | 'typeVocabSize'>,
): Promise<ReadTexts> {
  const read = await readTokenizerFiles(files);
  const template = await readChatTemplate(forWriting, read);
  const built = lazy(() => buildTokenizer(read, (name) => pathIn(files.name, name), vocabulary));
  return {
    files: new Map([...read, ...(template.file ? [[CHAT_TEMPLATE_FILE, template.file] as const] : [])]),
    texts({ vocabSize, maxLength: longest }, requested, key = 'max_length') {
      const tokenizer = built();
      const length = maxLength(requested, tokenizer.modelMaxLength, longest, `data.${key}`);
      let loaded: { now: number | undefined; template: ChatTemplate } | undefined;
      return new Texts({
        tokenizer,
        vocabSize,
        maxLength: requested === undefined ? Math.min(length, DEFAULT_MAX_LENGTH) : length,
        chatTemplate(now) {
          const time = now?.getTime();
          if (!loaded || loaded.now !== time)
            loaded = { now: time, template: template.parse(tokenizer.specialTokens, now) };
          return loaded.template;
        },
      });
    },
  };
}
