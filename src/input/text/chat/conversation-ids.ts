import { commonPrefix, type LearntIds } from '../learnt-ids.ts';
import type { TextTokenizer } from '../tokenizer.ts';
import { BadConversation } from './bad-conversation.ts';
import { ASSISTANT, type ChatMessage } from './chat-message.ts';
import type { ChatTemplate } from './chat-template.ts';

/**
 * The tokens of a conversation. The assistant's turns are learned. To find a turn, the messages are rendered without it
 * (with the generation prompt) and with it. The turn's tokens are between the common prefix and the common suffix of
 * both.
 *
 * @throws BadConversation if the template rejects the conversation; also if it renders earlier messages differently
 * when others follow, because then a turn cannot be located
 */
export function conversationIds(
  tokenizer: TextTokenizer,
  template: Pick<ChatTemplate, 'render'>,
  messages: readonly ChatMessage[],
): LearntIds {
  const text = template.render(messages, false);
  const ids = tokenizer.ids(text);
  const learnt = new Uint8Array(ids.length);
  messages.forEach(({ role }, turn) => {
    if (role !== ASSISTANT) return;
    const before = template.render(messages.slice(0, turn), true);
    const after = template.render(messages.slice(0, turn + 1), false);
    if (!after.startsWith(before) || !text.startsWith(after)) throw noTurn(turn + 1);
    learnt.fill(1, commonPrefix(ids, tokenizer.ids(before)), commonPrefix(ids, tokenizer.ids(after)));
  });
  return { ids, learnt };
}

function noTurn(turn: number): BadConversation {
  return new BadConversation({
    where: `message ${turn}`,
    fault: 'changes the text before it in this chat template, so turns cannot be told apart',
    hint: 'Split the conversation into rows that end with one answer each, or set completion_only_loss: false.',
  });
}
