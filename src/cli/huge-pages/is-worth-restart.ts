import { statSync } from 'node:fs';

const COMPUTING = ['train', 'eval', 'predict', 'generate', 'serve'];

/** The flag with which `plan` runs models in child processes, which inherit the environment. */
const MEASURING = /(^| )--measure\b/;

/** Texts of this size are predicted in about the time in which Node starts again. */
const FEW_BYTES = 2 ** 16;

/** Whether a command computes for so long that huge pages save more time than a restart of Node takes. */
export function isWorthRestart(command: string, words: readonly string[]): boolean {
  if (command === 'plan') return MEASURING.test(words.join(' '));
  if (!COMPUTING.includes(command)) return false;
  if (command !== 'predict') return true;
  const sizes = words.flatMap(fileSize);
  return sizes.length !== 1 || sizes[0]! > FEW_BYTES;
}

/** The size of a file. Nothing if a word is not the path of a file that can be read. */
function fileSize(word: string): number[] {
  try {
    const file = statSync(word);
    return file.isFile() ? [file.size] : [];
  } catch {
    return [];
  }
}
