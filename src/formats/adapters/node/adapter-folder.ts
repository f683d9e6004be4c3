import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { missingFile } from '../../node/missing-file.ts';
import { ADAPTER_CONFIG, ADAPTER_FILES, adapterFiles, formatOfFiles } from '../adapter-files.ts';
import { isAdapterHub } from '../adapterhub-config.ts';
import type { StoredAdapter } from '../stored-adapter.ts';
import { readAdapterHub, writeAdapterHub } from './adapterhub-folder.ts';
import { readPeft, writePeft } from './peft-folder.ts';

/** Whether a folder holds an adapter, as PEFT, AdapterHub or this library saves it. */
export function holdsAdapter(folder: string): boolean {
  return existsSync(join(folder, ADAPTER_CONFIG));
}

/**
 * Reads an adapter that PEFT, AdapterHub or this library saved; tensors of any floating type become f32. Of a pickle
 * nothing is executed.
 *
 * @throws UserError for anything missing or damaged
 */
export function readAdapter(folder: string): StoredAdapter {
  if (!existsSync(folder)) throw missingFile(folder, 'an adapter folder');
  const present = presentIn(folder);
  return formatOfFiles(present) === 'peft' ? readPeft(folder, present) : readAdapterHub(folder, present);
}

/** Writes an adapter as the library does that its settings are for. Each file is written atomically, the settings last. */
export function writeAdapter(folder: string, adapter: StoredAdapter): void {
  if (isAdapterHub(adapter.config)) writeAdapterHub(folder, adapter);
  else writePeft(folder, adapter);
}

/** The paths of an adapter's files. */
export function adapterPaths(folder: string): string[] {
  return (adapterFiles(presentIn(folder)) ?? []).map((name) => join(folder, name));
}

function presentIn(folder: string): string[] {
  return ADAPTER_FILES.filter((name) => existsSync(join(folder, name)));
}

/** The path of an adapter's settings. */
export function adapterConfigFile(folder: string): string {
  return join(folder, ADAPTER_CONFIG);
}
