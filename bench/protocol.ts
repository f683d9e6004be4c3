import { readSync, writeSync } from 'node:fs';
import { ALONE, type Communicator } from '../src/program/parallel/communicator.ts';

/*
 * The protocol of measured processes. Each request is a JSON object on a line of standard input, and each
 * response is one on standard output. If a request fails, the response is {"error": ...}, or the process
 * ends. python/serve.py uses the same protocol.
 */

export interface Request {
  op: string;
  // biome-ignore lint/suspicious/noExplicitAny: each operation knows its fields
  [field: string]: any;
}

const NEWLINE = 10;

/** Waits for the next request; undefined at the end of the input. */
export function nextRequest(): Request | undefined {
  const parts: Buffer[] = [];
  while (parts.at(-1)?.at(-1) !== NEWLINE) {
    const part = Buffer.alloc(2 ** 16);
    const read = readSync(0, part);
    if (read === 0) return undefined;
    parts.push(part.subarray(0, read));
  }
  const request: Request = JSON.parse(Buffer.concat(parts).toString());
  return request.op === 'exit' ? undefined : request;
}

export function answer(reply: object): void {
  writeSync(1, `${JSON.stringify(reply)}\n`);
}

/**
 * Answers requests by name until the input ends. All processes do the same work, but only the first reads
 * requests and answers.
 */
export async function serve(
  operations: Readonly<Record<string, (request: Request) => object | Promise<object>>>,
  communicator: Communicator = ALONE,
): Promise<void> {
  const next = () => {
    const own = communicator.rank === 0 ? (nextRequest() ?? { op: 'exit' }) : undefined;
    return communicator.broadcast(own as Request);
  };
  for (let request = next(); request.op !== 'exit'; request = next()) {
    const reply = await operations[request.op]!(request);
    if (communicator.rank === 0) answer(reply);
  }
}
