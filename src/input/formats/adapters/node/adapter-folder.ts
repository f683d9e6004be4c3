import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWrite } from '../../../store/node/atomic-write.ts';
import { missingFile } from '../../node/file-source.ts';
import { folderFiles } from '../../node/folder-files.ts';
import { ADAPTER_CONFIG } from '../adapter-files.ts';
import { encodeAdapter } from '../encode-adapter.ts';
import { readStoredAdapter } from '../read-stored-adapter.ts';
import type { StoredAdapter } from '../stored-adapter.ts';

/** Whether a folder contains an adapter saved by PEFT, AdapterHub or this library. */
export function holdsAdapter(folder: string): boolean {
  return existsSync(adapterConfigFile(folder));
}

/** Reads an adapter like {@link readStoredAdapter}. Throws a UserError if the folder has none. */
export async function readAdapter(folder: string, maxBytes?: number): Promise<StoredAdapter> {
  if (!existsSync(folder)) throw missingFile(folder, 'an adapter folder');
  const adapter = await readStoredAdapter(folderFiles(folder), maxBytes);
  if (adapter) return adapter;
  throw missingFile(adapterConfigFile(folder), 'the configuration of an adapter');
}

/** Writes an adapter in the format of its settings. Each file is written atomically, the settings last. */
export function writeAdapter(folder: string, adapter: StoredAdapter): void {
  for (const [name, content] of encodeAdapter(adapter)) atomicWrite(join(folder, name), content);
}

export function adapterConfigFile(folder: string): string {
  return join(folder, ADAPTER_CONFIG);
}
