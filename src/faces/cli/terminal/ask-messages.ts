import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export interface AskOptions {
  input: Readable;
  /** Receives the echo and the prompts. */
  output: Writable;
}

/**
 * Reads messages, which may have several lines, and answers each alternately. An empty line or the end of the
 * input (Ctrl-D) ends a message. Ctrl-C discards the typed text; without text, it ends the dialog.
 */
export async function askMessages(
  answer: (message: string) => Promise<void>,
  { input, output }: AskOptions,
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
