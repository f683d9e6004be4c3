import { UserError } from '../support/user-error.ts';

const NAME = 'standard input';
/** V8 holds no longer string than 2^29 - 24 characters. */
const MAX_BYTES = 2 ** 29 - 24;

/** Everything from standard input, as UTF-8. */
export async function readInput(): Promise<string> {
  if (process.stdin.isTTY) console.error('Type one text a line; Ctrl-D ends.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= MAX_BYTES) continue;
    const hint = 'Split it, or give a file for each part.';
    throw new UserError({ where: NAME, expected: `at most ${MAX_BYTES} bytes`, got: 'more', hint });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new UserError({ where: NAME, expected: 'text in UTF-8', got: 'other bytes' });
  }
}
