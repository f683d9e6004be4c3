import type { CommonConfig } from '../models/model-definition.ts';
import type { ChatTemplate } from '../text/chat/chat-template.ts';
import { maxLength } from '../text/max-length.ts';
import type { TextTokenizer } from '../text/tokenizer.ts';
import type { TrainedParts } from './trained-model.ts';

/** The maximum number of tokens of an example, if neither the config nor the model sets a lower limit. */
const DEFAULT_MAX_LENGTH = 1024;

/**
 * The parts that tokenize text for a model.
 *
 * @param requested `data.max_length`, or the value under another name (`key`)
 * @param loadTemplate called on first use of the template; without a time, the template gets the time of each rendering
 * @throws UserError for a length that the model does not support
 */
export function textParts(
  tokenizer: TextTokenizer,
  { vocabSize, maxLength: longest }: CommonConfig,
  requested: number | undefined,
  loadTemplate: (now?: Date) => ChatTemplate,
  key = 'max_length',
): TrainedParts['text'] {
  const length = maxLength(requested, tokenizer.modelMaxLength, longest, `data.${key}`);
  let loaded: { now: number | undefined; template: ChatTemplate } | undefined;
  return {
    tokenizer,
    vocabSize,
    maxLength: requested === undefined ? Math.min(length, DEFAULT_MAX_LENGTH) : length,
    chatTemplate(now) {
      const time = now?.getTime();
      if (!loaded || loaded.now !== time) loaded = { now: time, template: loadTemplate(now) };
      return loaded.template;
    },
  };
}
