import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { ASSISTANT, type ChatMessage } from '../../../input/text/chat/chat-template.ts';
import type { Prompt } from '../../../program/generation/prompt.ts';

interface ChatOptions {
  input: Readable;
  /** Receives the echo and the prompts. */
  output: Writable;
  /** The first messages of the conversation, such as a system prompt. */
  messages: readonly ChatMessage[];
  /** Whether lines are turns of one conversation. Otherwise, each line is a text to continue. */
  isConversation: boolean;
}

/** Prints the answer to a prompt and returns it. If the signal stops it, returns the text so far. */
type ChatAnswer = (prompt: Prompt, signal: AbortSignal) => Promise<string>;

/**
 * Answers typed lines until the input ends. Ctrl-C stops the current answer. If no answer is being generated,
 * it ends the chat.
 *
 * @returns whether Ctrl-C ended the chat
 */
export async function chat(answer: ChatAnswer, options: ChatOptions): Promise<boolean> {
  const { input, output, isConversation } = options;
  const lines = createInterface({ input, output, prompt: '> ', terminal: true });
  const messages = [...options.messages];
  let answering: AbortController | undefined;
  let isStopped = false;
  lines.on('SIGINT', () => {
    isStopped = answering === undefined;
    if (answering) answering.abort();
    else lines.close();
  });
  try {
    lines.prompt();
    for await (const line of lines) {
      if (line.trim() !== '') {
        answering = new AbortController();
        messages.push({ role: 'user', content: line });
        const content = await answer(isConversation ? messages : line, answering.signal);
        messages.push({ role: ASSISTANT, content });
        answering = undefined;
      }
      lines.prompt();
    }
  } finally {
    lines.close();
  }
  return isStopped;
}

/**
 * Reads messages, which may have several lines, and answers each alternately. An empty line or the end of the
 * input (Ctrl-D) ends a message. Ctrl-C discards the typed text; without text, it ends the dialog.
 */
export async function askMessages(
  answer: (message: string) => Promise<void>,
  { input, output }: Pick<ChatOptions, 'input' | 'output'>,
): Promise<void> {
  const lines = createInterface({ input, output, prompt: FIRST, terminal: true });
  let message: string[] = [];
  const begin = () => {
    message = [];
    lines.setPrompt(FIRST);
    lines.prompt();
  };
  const finish = async () => {
    const text = message.join('\n').trim();
    if (text !== '') await answer(text);
  };
  lines.on('SIGINT', () => {
    if (message.length === 0 && lines.line === '') return lines.close();
    // Discard a half-typed line too: move to its end, then erase backwards.
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' });
    output.write('\n');
    begin();
  });
  try {
    lines.prompt();
    for await (const line of lines) {
      if (line.trim() !== '') {
        message.push(line);
        lines.setPrompt(NEXT);
        lines.prompt();
        continue;
      }
      await finish();
      begin();
    }
    if (message.length > 0) output.write('\n');
    await finish();
  } finally {
    lines.close();
  }
}

const FIRST = '> ';
const NEXT = '  ';
