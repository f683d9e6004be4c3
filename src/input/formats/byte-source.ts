import { type Hash, Sha256 } from '../../support/sha256.ts';
import { InvalidFile, UserError } from '../../support/user-error.ts';

/**
 * Reads a `File` or `Blob` in parts, without loading all of it.
 *
 * @param path the file's name in messages
 */
export function blobSource(blob: Blob, path: string): ByteSource {
  return {
    path,
    size: blob.size,
    async read(begin, end) {
      const bytes = await readContent(blob.slice(begin, end), path);
      if (bytes.length === end - begin) return bytes;
      throw unreadable(path, `ends at byte ${begin + bytes.length}, before byte ${end}`);
    },
  };
}

/** Reads a part. Browsers reject a file that has changed since the user chose it. */
async function readContent(part: Blob, where: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await part.arrayBuffer());
  } catch (error) {
    throw unreadable(where, `cannot be read (${(error as Error).name})`);
  }
}

function unreadable(where: string, fault: string): UserError {
  return new UserError({
    where,
    fault,
    hint: 'Choose the file again: it may have changed.',
    code: 'network',
  });
}

/** Downloaded and total bytes of one file. */
export interface DownloadProgress {
  file: string;
  received: number;
  total: number;
}

/** Bytes per read. More would need more memory, and report progress less often. */
const CHUNK_BYTES = 2 ** 22;
/** The last bytes are hashed twice, because existing adapters and checkpoints contain such digests. */
const TAIL = 2 ** 12;

type ByteRange = readonly [begin: number, end: number];

/** Identifies a file by its content: a hash of its size and all its bytes. */
export async function sourceDigest(source: ByteSource): Promise<string> {
  const hash = startDigest(source.size);
  for (const range of digestRanges(source.size)) hash.update(await source.read(...range));
  return hash.digest('hex');
}

/** Identifies rows in memory, with a new SHA-256. */
export function textDigest(rows: { read(): string }, hash: Hash = new Sha256()): string {
  return hash.update(rows.read()).digest('hex');
}

/** Starts the digest of a file, with a new SHA-256. The bytes of {@link digestRanges} complete it. */
export function startDigest(size: number, hash: Hash = new Sha256()): Hash {
  return hash.update(`${size}\n`);
}

/** The byte ranges that are hashed after a file's size. */
export function digestRanges(size: number): ByteRange[] {
  return [...splitRange(0, size), [Math.max(0, size - TAIL), size]];
}

/** Divides a range of bytes into reads. */
export function splitRange(begin: number, end: number): ByteRange[] {
  return Array.from({ length: Math.ceil((end - begin) / CHUNK_BYTES) }, (_, i) => {
    const from = begin + i * CHUNK_BYTES;
    return [from, Math.min(end, from + CHUNK_BYTES)] as const;
  });
}

/** Identifies a model's weights by the digests of their files, in order. */
export function weightsDigest(digests: readonly string[]): string {
  return new Sha256().update(digests.join('')).digest('hex');
}

/** The bytes of a file: in a page, on a server, or {@link LocalSource}. */
export interface ByteSource {
  /** The file's path or address, for messages. */
  readonly path: string;
  readonly size: number;
  /** Reads bytes [begin, end), which must lie within the file. */
  read(begin: number, end: number): Uint8Array | Promise<Uint8Array>;
  close?(): void;
}

/** A file on a disk or in memory, which answers at once. Close it after use. */
export interface LocalSource extends ByteSource {
  read(begin: number, end: number): Uint8Array;
  close(): void;
}

/**
 * Reads a whole file of limited size, and closes it.
 *
 * @throws UserError if it is larger
 */
export function wholeFile<File extends ByteSource>(file: File, maxBytes: number): ReturnType<File['read']> {
  try {
    if (file.size <= maxBytes) return file.read(0, file.size) as ReturnType<File['read']>;
    throw new InvalidFile({
      where: file.path,
      fault: `has ${file.size} bytes, more than the maximum of ${maxBytes}`,
    });
  } finally {
    file.close?.();
  }
}

/** A file in memory. `read` returns copies, which the caller may change. */
export function bytesAsSource(bytes: Uint8Array, path: string): LocalSource {
  return { path, size: bytes.length, read: (begin, end) => bytes.slice(begin, end), close() {} };
}
