import { decodeText, isGzip, isParquet } from '../../input/data/detect-format.ts';
import { gunzip } from '../../input/data/node/text-files.ts';
import { UserError } from '../../support/user-error.ts';

const NAME = 'standard input';
/** V8's longest string has 2^29 - 24 characters. */
const MAX_BYTES = 2 ** 29 - 24;

/** Reads all of standard input as text. Decompresses gzip, and converts parquet to JSON Lines. */
export async function readInput(): Promise<string> {
  if (process.stdin.isTTY) console.error('Type one text per line. Ctrl-D ends.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= MAX_BYTES) continue;
    const hint = 'Split it, or give a file for each part.';
    throw new UserError({ where: NAME, fault: `has more than ${MAX_BYTES} bytes`, hint });
  }
  const bytes = Buffer.concat(chunks);
  if (isParquet(bytes)) {
    const { parquetFile } = await import('../../input/data/parquet/node/parquet-file.ts');
    return (await parquetFile(NAME, undefined, undefined, bytes)).text;
  }
  return decodeText(isGzip(bytes) ? gunzip(bytes, NAME) : bytes, NAME, console.error);
}
