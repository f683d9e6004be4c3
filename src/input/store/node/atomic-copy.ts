import { statSync } from 'node:fs';
import { atomicWrite } from './atomic-write.ts';
import { fileBytes } from './file-bytes.ts';

/** Copies a file as {@link atomicWrite} writes one. */
export function atomicCopy(from: string, to: string): void {
  atomicWrite(to, fileBytes(from, { begin: 0, end: statSync(from).size }));
}
