import { PEFT_FILES, peftStored } from '../formats/adapters/peft-files.ts';
import type { StoredAdapter } from '../formats/adapters/stored-adapter.ts';
import { type Files, missingIn, pathIn, readFile, readJsonFile } from '../formats/files.ts';
import { parseSafetensorsHeader } from '../formats/safetensors.ts';
import { SafetensorsTensors } from '../formats/safetensors-tensors.ts';
import { NOTES_FILE, type Notes, parseNotes } from '../trained/notes.ts';

/** Maximum size of an adapter. Most have a few megabytes; with high ranks on a large model, several hundred. */
const MAX_BYTES = 2 ** 30;

/**
 * Reads an adapter saved by PEFT or adalora. Undefined if the files contain none.
 *
 * @throws UserError if it is damaged, or its tensors are missing or a pickle
 */
export async function readAdapterSet(files: Files): Promise<StoredAdapter | undefined> {
  const config = await readJsonFile(files, PEFT_FILES.config);
  if (config === undefined) return undefined;
  const bytes = await readFile(files, PEFT_FILES.tensors, MAX_BYTES);
  if (!bytes) throw missingIn(files, PEFT_FILES.tensors, "the adapter's tensors");
  const path = pathIn(files.name, PEFT_FILES.tensors);
  const header = parseSafetensorsHeader(bytes, bytes.length, path);
  const tensors = new SafetensorsTensors(header, path, (begin, end) => bytes.slice(begin, end));
  return peftStored(config, pathIn(files.name, PEFT_FILES.config), tensors);
}

/** Reads adalora's notes among the files of an adapter or a model. Undefined if there are none. */
export async function readNotesIn(files: Files): Promise<Notes | undefined> {
  const json = await readJsonFile(files, NOTES_FILE);
  return json === undefined ? undefined : parseNotes(json, pathIn(files.name, NOTES_FILE));
}
