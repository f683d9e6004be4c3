import { disk } from '../../node/folder-files.ts';
import { encodeAdapter } from '../encode-adapter.ts';
import { readAdapterIn } from '../read-stored-adapter.ts';
import type { StoredAdapter } from '../stored-adapter.ts';

export const readAdapter = readAdapterIn.bind(undefined, disk);

/** Writes an adapter in the format of its settings. Each file is written atomically, the settings last. */
export function writeAdapter(folder: string, adapter: StoredAdapter): void {
  for (const [name, content] of encodeAdapter(adapter)) disk.within(folder).write(name, content);
}
