import { decodeText } from '../data/decode-text.ts';
import { isGzip, isParquet } from '../data/magic-bytes.ts';
import { gunzip } from '../data/node/gunzip.ts';
import { UserError } from '../support/user-error.ts';

const NAME = 'standard input';
/** V8 holds no longer string than 2^29 - 24 characters. */
const MAX_BYTES = 2 ** 29 - 24;

/** Everything from standard input, as text: packed by gzip it is unpacked, and parquet is read as if it were JSON Lines. */
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
  const bytes = Buffer.concat(chunks);
  if (isParquet(bytes)) {
    const { parquetFile } = await import('../data/parquet/node/parquet-file.ts');
    return (await parquetFile(NAME, undefined, undefined, bytes)).text;
  }
  return decodeText(isGzip(bytes) ? gunzip(bytes, NAME) : bytes, NAME, console.error);
}
