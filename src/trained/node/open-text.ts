import type { CommonConfig } from '../../models/model-definition.ts';
import type { ChatTemplate } from '../../text/chat/chat-template.ts';
import { loadChatTemplate } from '../../text/chat/node/load-chat-template.ts';
import { maxLength } from '../../text/max-length.ts';
import { loadTokenizer } from '../../text/node/load-tokenizer.ts';
import type { TrainedParts } from '../trained-model.ts';

/** The most tokens of an example, where neither the config nor the model says less. */
const DEFAULT_MAX_LENGTH = 1024;

/**
 * What a model folder has to make tokens of text.
 *
 * @param requested `data.max_length`
 * @throws UserError for a tokenizer that is missing or damaged, and for a length that the model cannot take
 */
export function openText(
  folder: string,
  { typeVocabSize, vocabSize, maxLength: longest }: CommonConfig,
  requested: number | undefined,
): TrainedParts['text'] {
  const tokenizer = loadTokenizer(folder, { typeVocabSize });
  const length = maxLength(requested, tokenizer.modelMaxLength, longest);
  let template: ChatTemplate | undefined;
  return {
    tokenizer,
    vocabSize,
    maxLength: requested === undefined ? Math.min(length, DEFAULT_MAX_LENGTH) : length,
    // Loaded when it is first asked for. `now`: what time the template is told.
    chatTemplate(now = new Date()) {
      template ??= loadChatTemplate(folder, tokenizer.specialTokens, now);
      return template;
    },
  };
}
