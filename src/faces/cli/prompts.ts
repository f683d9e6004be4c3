import { jsonLines, ownValue, requireText } from '../../input/data/json-lines.ts';
import { RowProblems } from '../../input/data/rows.ts';
import { readMessages } from '../../input/data/text/language-rows.ts';
import type { ChatMessage } from '../../input/text/chat/chat-template.ts';
import { UserError } from '../../support/user-error.ts';

/** A prompt, or a conversation to answer, and its place in the input. */
export interface GivenPrompt {
  where: string;
  prompt: string | readonly ChatMessage[];
}

/**
 * Reads prompts from a file or from standard input. Content that begins with `{` is JSON Lines with `prompt`
 * or `messages`. Otherwise, each line is a prompt. Blank lines are skipped.
 *
 * @throws UserError with the invalid lines, or if there is no prompt
 */
export function promptsFrom(content: string, fileName: string): GivenPrompt[] {
  const body = content.replace(/^\ufeff/, '');
  const prompts = /^\s*\{/.test(body) ? fromJson(body, fileName) : fromLines(body, fileName);
  if (prompts.length > 0) return prompts;
  throw new UserError({ where: fileName, fault: 'has no prompts' });
}

function fromLines(body: string, fileName: string): GivenPrompt[] {
  return body
    .split(/\r\n|\n/)
    .map((prompt, i) => ({ where: `${fileName}:${i + 1}`, prompt }))
    .filter(({ prompt }) => prompt.trim() !== '');
}

function fromJson(body: string, fileName: string): GivenPrompt[] {
  const problems = new RowProblems(fileName);
  const prompts: GivenPrompt[] = [];
  for (const { line, object } of jsonLines(body, problems)) {
    const prompt =
      ownValue(object, 'messages') === undefined
        ? requireText(object, 'prompt', line, problems)
        : readMessages(object.messages, 'messages', line, problems)?.messages;
    if (prompt !== undefined) prompts.push({ where: `${fileName}:${line}`, prompt });
  }
  problems.throwIfAny();
  return prompts;
}
