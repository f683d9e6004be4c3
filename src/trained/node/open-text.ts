import type { CommonConfig } from '../../models/model-definition.ts';
import { loadChatTemplate } from '../../text/chat/node/load-chat-template.ts';
import { loadTokenizer } from '../../text/node/load-tokenizer.ts';
import { textParts } from '../text-parts.ts';
import type { TrainedParts } from '../trained-model.ts';

/**
 * What a model folder has to make tokens of text.
 *
 * @param requested `data.max_length`, or where that has another name (`key`) that
 * @throws UserError for a tokenizer that is missing or damaged, and for a length that the model cannot take
 */
export function openText(
  folder: string,
  config: CommonConfig,
  requested: number | undefined,
  key?: string,
): TrainedParts['text'] {
  const tokenizer = loadTokenizer(folder, config);
  const loadTemplate = (now?: Date) => loadChatTemplate(folder, tokenizer.specialTokens, now);
  return textParts(tokenizer, config, requested, loadTemplate, key);
}
