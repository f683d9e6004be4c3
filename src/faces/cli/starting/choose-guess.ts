import { createInterface } from 'node:readline/promises';
import type { Guess } from '../../../tasks/guess/guess-data.ts';
import type { DataFile } from './read-data-file.ts';

/** Maximum number of other guesses to print. */
const MAX_TOLD = 3;

interface Terminal {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
}

/**
 * The best guess. If several are plausible, asks the user in a terminal. Elsewhere, tells the flags that choose the
 * others.
 */
export async function chooseGuess(
  { path, guesses }: DataFile,
  terminal: Terminal,
  tell: (text: string) => void,
): Promise<Guess> {
  const [best, ...others] = guesses;
  if (others.length === 0) return best!;
  if (terminal.input.isTTY && terminal.output.isTTY) return ask(path, guesses, terminal);
  for (const { learns, flags } of others.slice(0, MAX_TOLD))
    tell(`It could also ${learns}. For that: ${flags}`);
  return best!;
}

/** Asks until the answer is the number of a guess. An empty answer accepts the first. */
async function ask(path: string, guesses: readonly Guess[], terminal: Terminal): Promise<Guess> {
  const asking = createInterface(terminal);
  try {
    const list = guesses.map(({ learns }, i) => `  ${i + 1}  ${learns}`);
    terminal.output.write(`${path} can be used in several ways:\n${list.join('\n')}\n`);
    for (;;) {
      const answer = (await asking.question('Which one? [1] ')).trim();
      const chosen = guesses[answer === '' ? 0 : Number(answer) - 1];
      if (chosen) return chosen;
    }
  } finally {
    asking.close();
  }
}
