import { encodeAdapter } from '../../src/input/formats/adapters/encode-adapter.ts';
import { readAdapterIn } from '../../src/input/formats/adapters/read-stored-adapter.ts';
import type { StoredAdapter } from '../../src/input/formats/adapters/stored-adapter.ts';
import { disk } from '../../src/input/formats/node/folder-files.ts';

export const readAdapter = readAdapterIn.bind(undefined, disk);

/** Writes an adapter in the format of its settings. Each file is written atomically, the settings last. */
export function writeAdapter(folder: string, adapter: StoredAdapter): void {
  for (const [name, content] of encodeAdapter(adapter)) disk.within(folder).write(name, content);
}
