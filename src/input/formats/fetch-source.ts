import { InvalidFile, UserError } from '../../support/user-error.ts';
import type { ByteSource } from './byte-source.ts';

/** Thrown if a response body exceeds its limit. */
class BodyTooLong extends Error {}

/**
 * Reads a whole response body.
 *
 * @param most the limit in bytes
 * @param likely the declared size in bytes; this much is allocated at once
 * @throws BodyTooLong
 */
async function readBody(response: Response, most: number, likely: number): Promise<Uint8Array> {
  let bytes = new Uint8Array(Math.min(likely, most));
  let length = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    const end = length + part.value.length;
    if (end > most) {
      await reader?.cancel();
      throw new BodyTooLong(`more than ${most} bytes`);
    }
    if (end > bytes.length) {
      const grown = new Uint8Array(Math.min(most, Math.max(end, 2 * bytes.length)));
      grown.set(bytes.subarray(0, length));
      bytes = grown;
    }
    bytes.set(part.value, length);
    length = end;
  }
  return bytes.subarray(0, length);
}

/** Maximum size: a page cannot hold more, because 32-bit WebAssembly has 4 GiB of address space. */
const MAX_BYTES = 2 ** 32;
/** Size of the first request. Most settings files and checkpoint headers are shorter. */
const FIRST_BYTES = 2 ** 16;

/**
 * Opens a file on a server, to read it in ranges. If the server does not support ranges, the whole file is
 * downloaded and kept in memory.
 *
 * @returns undefined if the server does not have the file
 * @throws UserError if the server is unreachable or refuses, or the file is too large; later reads throw one
 * if the response has the wrong length
 */
export async function openFetchSource(address: string | URL): Promise<ByteSource | undefined> {
  const where = String(address);
  const response = await ask(where, 0, FIRST_BYTES);
  if (response.status === 404 || response.status === 410) return undefined;
  // A range request for an empty file always fails with 416.
  if (response.status === 416) return inMemory(new Uint8Array(), where);
  const size = response.status === 206 ? parseRange(response)?.size : undefined;
  if (size === undefined) return inMemory(await wholeFile(where, response), where);
  if (size > MAX_BYTES) throw tooLarge(where, `${size}`);
  let known = await readResponse(response, Math.min(size, FIRST_BYTES), where);
  return {
    path: where,
    size,
    async read(begin, end) {
      if (end > known.length) {
        const part = await ask(where, begin, end);
        if (part.status === 206) return readPart(part, { begin, end, size }, where);
        known = await wholeFile(where, part);
        if (known.length !== size) throw changed(where, size, known.length);
      }
      return known.subarray(begin, end);
    },
  };
}

async function ask(where: string, begin: number, end: number): Promise<Response> {
  return fetch(where, { headers: { Range: `bytes=${begin}-${end - 1}` } }).catch((error) => {
    throw unreachable(where, (error as Error).message);
  });
}

/** The range that a partial response declares. Undefined if it declares none, or if CORS hides the header. */
function parseRange({ headers }: Response): { begin: number; end: number; size: number } | undefined {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get('Content-Range') ?? '') ?? [];
  return size === undefined ? undefined : { begin: Number(first), end: Number(last) + 1, size: Number(size) };
}

async function readPart(
  response: Response,
  { begin, end, size }: { begin: number; end: number; size: number },
  where: string,
): Promise<Uint8Array> {
  const range = parseRange(response);
  if (range && range.size !== size) throw changed(where, size, range.size);
  if (range && (range.begin !== begin || range.end !== end)) {
    const fault = `sent bytes ${range.begin} to ${range.end} instead of ${begin} to ${end}`;
    throw new UserError({ where, fault, hint: 'Try again later.', code: 'network' });
  }
  return readResponse(response, end - begin, where);
}

/** The bytes of the whole file, from this response or from a second request without a range. */
async function wholeFile(where: string, response: Response): Promise<Uint8Array> {
  if (response.status === 206) {
    await response.body?.cancel();
    response = await fetch(where);
  }
  if (response.status !== 200) throw unreachable(where, `status ${response.status}`);
  try {
    return await readBody(response, MAX_BYTES, Number(response.headers.get('Content-Length') ?? 0));
  } catch (error) {
    if (error instanceof BodyTooLong) throw tooLarge(where, error.message);
    throw unreachable(where, (error as Error).message);
  }
}

async function readResponse(response: Response, length: number, where: string): Promise<Uint8Array> {
  const bytes = await readBody(response, length, length).catch((error) => {
    throw unreachable(where, `an answer that ends with ${(error as Error).message}`);
  });
  if (bytes.length === length) return bytes;
  throw unreachable(where, `${bytes.length} of ${length} bytes`);
}

function inMemory(bytes: Uint8Array, path: string): ByteSource {
  return { path, size: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}

function unreachable(where: string, got: string): UserError {
  const hint = 'Check the address; a server of another origin must allow this page to read (CORS).';
  return new UserError({ where, fault: `could not be fetched: ${got}`, hint, code: 'network' });
}

function tooLarge(where: string, got: string): UserError {
  return new InvalidFile({ where, fault: `is larger than ${MAX_BYTES} bytes (${got})` });
}

function changed(where: string, before: number, now: number): UserError {
  const hint = 'The file changed while it was read; start again.';
  return new UserError({
    where,
    fault: `changed its size from ${before} to ${now} bytes`,
    hint,
    code: 'network',
  });
}
