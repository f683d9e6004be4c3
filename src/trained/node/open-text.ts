import type { CommonConfig } from '../../models/model-definition.ts';
import { loadChatTemplate } from '../../text/chat/node/load-chat-template.ts';
import { loadTokenizer } from '../../text/node/load-tokenizer.ts';
import { textParts } from '../text-parts.ts';
import type { TrainedParts } from '../trained-model.ts';

/**
 * Opens the tokenizer and chat template of a model folder.
 *
 * @param requested `data.max_length`, or the value under another name (`key`)
 * @throws UserError for a missing or damaged tokenizer, and for a length that the model does not support
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
