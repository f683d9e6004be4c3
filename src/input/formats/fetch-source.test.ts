import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../support/user-error.ts';
import { openFetchSource } from './fetch-source.ts';

/** A file that is too large for the first response. */
const FILE = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);

let server: Server;
afterEach(() => server.close());

/** Serves FILE and records the requested ranges. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: (string | undefined)[] = [];
  server = createServer((request, response) => {
    asked.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/file`, asked };
}

/** Sends the requested range. `change` alters the response. */
function ranged(
  request: IncomingMessage,
  response: ServerResponse,
  change: { range?: string | null; body?: Uint8Array } = {},
): void {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range!)!;
  const end = Math.min(Number(last) + 1, FILE.length);
  const { range = `bytes ${first}-${end - 1}/${FILE.length}`, body = FILE.subarray(Number(first), end) } =
    change;
  response.writeHead(206, range === null ? {} : { 'Content-Range': range }).end(body);
}

const messageOf = (error: unknown) => {
  expect(error).toBeInstanceOf(UserError);
  return (error as Error).message;
};

describe('openFetchSource', () => {
  it('requests ranges, and nothing twice', async () => {
    const { url, asked } = await serve(ranged);
    const source = (await openFetchSource(url))!;
    expect(source.size).toBe(FILE.length);
    expect(await source.read(10, 20)).toEqual(FILE.slice(10, 20));
    expect(await source.read(70_000, 90_001)).toEqual(FILE.slice(70_000, 90_001));
    expect(asked).toEqual(['bytes=0-65535', 'bytes=70000-90000']);
  });

  it('downloads the whole file once from a server without ranges', async () => {
    const { url, asked } = await serve((_, response) => response.end(FILE));
    const source = (await openFetchSource(url))!;
    expect(source.size).toBe(FILE.length);
    expect(await source.read(70_000, 90_001)).toEqual(FILE.slice(70_000, 90_001));
    expect(asked).toHaveLength(1);
  });

  it('downloads the whole file if a page cannot see the range of a response', async () => {
    const { url, asked } = await serve((request, response) =>
      request.headers.range ? ranged(request, response, { range: null }) : response.end(FILE),
    );
    const source = (await openFetchSource(url))!;
    expect(source.size).toBe(FILE.length);
    expect(await source.read(70_000, 90_001)).toEqual(FILE.slice(70_000, 90_001));
    expect(asked).toEqual(['bytes=0-65535', undefined]);
  });

  it('downloads the whole file from a server that stops serving ranges', async () => {
    let answers = 0;
    const { url, asked } = await serve((request, response) =>
      answers++ === 0 ? ranged(request, response) : response.end(FILE),
    );
    const source = (await openFetchSource(url))!;
    expect(await source.read(70_000, 90_001)).toEqual(FILE.slice(70_000, 90_001));
    expect(await source.read(90_000, 90_100)).toEqual(FILE.slice(90_000, 90_100));
    expect(asked).toHaveLength(2);
  });

  it('handles an empty file and a missing one', async () => {
    const { url } = await serve((_, response) => response.writeHead(416).end());
    expect((await openFetchSource(url))?.size).toBe(0);
    server.close();
    const { url: other } = await serve((_, response) => response.writeHead(404).end());
    expect(await openFetchSource(other)).toBeUndefined();
  });

  it.each([
    ['a first answer that is too short', { body: FILE.subarray(0, 9) }, '9 of 65536 bytes'],
    ['one that is too long', { body: FILE }, 'an answer that ends with more than 65536 bytes'],
    ['a size beyond memory', { range: 'bytes 0-65535/9999999999' }, 'is larger than 4294967296 bytes'],
  ])('rejects %s', async (_, change, message) => {
    const { url } = await serve((request, response) => ranged(request, response, change));
    expect(messageOf(await openFetchSource(url).catch((error) => error))).toContain(message);
  });

  it.each([
    ['a part that is too short', { body: FILE.subarray(0, 9) }, '9 of 100 bytes'],
    [
      'another part',
      { range: `bytes 0-99/${FILE.length}` },
      'sent bytes 0 to 100 instead of 70000 to 70100. Try again later.',
    ],
    [
      'a part of another file',
      { range: 'bytes 70000-70099/70100' },
      'changed its size from 100000 to 70100 bytes',
    ],
  ])('rejects %s', async (_, change, message) => {
    let answers = 0;
    const { url } = await serve((request, response) =>
      ranged(request, response, answers++ === 0 ? {} : change),
    );
    const source = (await openFetchSource(url))!;
    await expect(source.read(70_000, 70_100)).rejects.toThrow(message);
  });

  it("reports a server's refusal, and an unreachable server", async () => {
    const { url } = await serve((_, response) => response.writeHead(403).end());
    expect(messageOf(await openFetchSource(url).catch((error) => error))).toContain(
      'could not be fetched: status 403',
    );
    server.close();
    const gone = await openFetchSource('http://127.0.0.1:9/file').catch((error) => error);
    expect(messageOf(gone)).toContain('could not be fetched: ');
  });
});
