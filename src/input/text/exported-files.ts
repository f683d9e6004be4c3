import { smallest } from '../../support/numbers.ts';
import { buildTokenizer, TOKENIZER_FILES, tokenizerJsons } from './build-tokenizer.ts';
import { CHAT_TEMPLATE_FILE } from './chat/chat-template.ts';
import { findTokenizerClass } from './convert/convert-tokenizer.ts';
import type { TokenizerOptions } from './tokenizer.ts';

/** Facts about a model that its exported files contain. */
export interface ExportedModel extends TokenizerOptions {
  modelType: string;
  /** Limits of the number of tokens: the model's, and the run's. */
  lengths: readonly (number | undefined)[];
  /** Whether the model generates text after a prompt. */
  continues: boolean;
}

/** Generic tokenizer classes. With these, transformers.js gives both texts of a pair the same token type. */
const NO_CLASS = ['PreTrainedTokenizer', 'PreTrainedTokenizerFast', 'TokenizersBackend'];

/**
 * The files with which transformers.js makes the same tokens as in training, by name. Unchanged files of the base model
 * are not included.
 *
 * @param files of the base model, by name
 * @param where the path of a file, for messages
 * @throws UserError for a missing or damaged tokenizer
 */
export function exportedTextFiles(
  files: ReadonlyMap<string, Uint8Array>,
  where: (name: string) => string,
  model: ExportedModel,
): Map<string, object> {
  const { before, after } = buildTokenizer(files, where, model).frame();
  const { tokenizer, config } = tokenizerJsons(files, where);
  const exported = createConfig({ ...config }, model, {
    frames: before.length + after.length > 0,
    template: files.get(CHAT_TEMPLATE_FILE),
  });
  const made = new Map<string, object>([[TOKENIZER_FILES.config, exported]]);
  if (!files.has(TOKENIZER_FILES.tokenizer)) made.set(TOKENIZER_FILES.tokenizer, tokenizer);
  return made;
}

/**
 * The content of tokenizer_config.json.
 *
 * @param frames whether the tokenizer adds tokens before or after a text
 * @param template a chat template in a separate file, which transformers.js does not read
 */
function createConfig(
  config: Readonly<Record<string, unknown>>,
  { modelType, typeVocabSize, lengths, continues }: ExportedModel,
  { frames, template }: { frames: boolean; template: Uint8Array | undefined },
): Record<string, unknown> {
  const { tokenizer_class, model_max_length, chat_template } = config;
  const isNamed = typeof tokenizer_class === 'string' && !NO_CLASS.includes(tokenizer_class);
  const ownClass = typeVocabSize > 1 ? findTokenizerClass(modelType) : undefined;
  const known = [model_max_length, ...lengths].filter((length) => typeof length === 'number');
  const longest = smallest(known);
  return {
    ...config,
    ...(!isNamed && ownClass && { tokenizer_class: ownClass }),
    ...(Number.isFinite(longest) && { model_max_length: longest }),
    // Without this, the text generation pipeline omits the tokenizer's added tokens.
    ...(continues && frames && { add_bos_token: true }),
    ...(chat_template === undefined && template && { chat_template: new TextDecoder().decode(template) }),
  };
}
