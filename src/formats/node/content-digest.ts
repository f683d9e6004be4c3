import { createHash } from 'node:crypto';
import { safetensorsDataStart } from '../safetensors.ts';
import { FileSource } from './file-source.ts';

/** Files up to here are read whole, which takes a fraction of a second. */
const WHOLE_BYTES = 2 ** 27;
/** Of larger ones a block at the beginning of each stretch: 13 GB are 50 MB to read. A larger tensor has one at least. */
const STRETCH = 2 ** 20;
const BLOCK = 2 ** 12;
/** Bytes that are read at once. */
const CHUNK = 2 ** 22;

/** Whether {@link contentDigest} reads all of a file of that size. */
export function isDigestedWhole(size: number): boolean {
  return size <= WHOLE_BYTES;
}

/**
 * What tells a file from others by its content, wherever it lies and however old it is: a hash of its size and of all of it,
 * or where it is huge of the header of a safetensors file, evenly spread blocks and the last one.
 *
 * @throws UserError for one that is missing or unreadable
 */
export function contentDigest(path: string): string {
  const source = FileSource.open(path, 'a file');
  try {
    const hash = createHash('sha256').update(`${source.size}\n`);
    for (const [begin, end] of partsOf(source)) hash.update(source.read(begin, end));
    return hash.digest('hex');
  } finally {
    source.close();
  }
}

function* partsOf(source: FileSource): Iterable<[begin: number, end: number]> {
  const { size } = source;
  const whole = isDigestedWhole(size) ? size : headerEnd(source);
  for (let at = 0; at < whole; at += CHUNK) yield [at, Math.min(whole, at + CHUNK)];
  for (let at = whole; at < size; at += STRETCH) yield [at, Math.min(size, at + BLOCK)];
  yield [Math.max(0, size - BLOCK), size];
}

/** Where the header of a safetensors file ends; of another file 0. */
function headerEnd(source: FileSource): number {
  if (!source.path.endsWith('.safetensors')) return 0;
  return safetensorsDataStart(source.read(0, 8), source.size, source.path);
}
