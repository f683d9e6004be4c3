import { closeSync, openSync, readSync } from 'node:fs';
import { atomicWrite } from './atomic-write.ts';

/** Bytes per read. */
const CHUNK = 2 ** 22;

/** Copies a file as {@link atomicWrite} writes one. */
export function atomicCopy(from: string, to: string): void {
  atomicWrite(to, contentOf(from));
}

function* contentOf(path: string): Generator<Uint8Array> {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = new Uint8Array(CHUNK);
    for (let read = -1; read !== 0; ) {
      read = readSync(descriptor, buffer);
      yield buffer.subarray(0, read);
    }
  } finally {
    closeSync(descriptor);
  }
}
