import { headNamed } from '../models/heads/registry.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import { tokenizerClassOf } from '../text/convert/convert-tokenizer.ts';

/** Generic tokenizer classes. With these, transformers.js gives both texts of a pair the same token type. */
const NO_CLASS = ['PreTrainedTokenizer', 'PreTrainedTokenizerFast', 'TokenizersBackend'];

/**
 * A tokenizer_config.json with which transformers.js makes the same tokens as in training.
 *
 * @param frames whether the tokenizer adds tokens before or after a text
 * @param maxLength number of tokens after which a text was truncated in training
 * @param chatTemplate from a separate file, which transformers.js does not read
 */
export function onnxTokenizerConfig(
  tokenizerConfig: Readonly<Record<string, unknown>>,
  { definition, config, headKind }: Pick<TaskModel, 'definition' | 'config' | 'headKind'>,
  { frames, maxLength, chatTemplate }: { frames: boolean; maxLength?: number; chatTemplate?: string },
): Record<string, unknown> {
  const { tokenizer_class, model_max_length, chat_template } = tokenizerConfig;
  const isNamed = typeof tokenizer_class === 'string' && !NO_CLASS.includes(tokenizer_class);
  const ownClass = config.typeVocabSize > 1 ? tokenizerClassOf(definition.modelType) : undefined;
  const { mainUse, reads } = headNamed(headKind);
  // A prompt may be longer than the training examples.
  const lengths = [model_max_length, config.maxLength, mainUse === 'generate' ? undefined : maxLength];
  const longest = Math.min(...lengths.filter((length) => typeof length === 'number'));
  return {
    ...tokenizerConfig,
    ...(!isNamed && ownClass && { tokenizer_class: ownClass }),
    ...(Number.isFinite(longest) && { model_max_length: longest }),
    // Without this, the text generation pipeline omits the tokenizer's added tokens.
    ...(reads === 'cached' && frames && { add_bos_token: true }),
    ...(chat_template === undefined && chatTemplate !== undefined && { chat_template: chatTemplate }),
  };
}
