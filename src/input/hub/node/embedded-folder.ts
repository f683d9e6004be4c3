import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../../support/user-error.ts';

/** Each file has its own URL expression, because bundlers such as Next.js search the code for such expressions. */
const FILES = [
  new URL('../../../../models/mini/config.json', import.meta.url),
  new URL('../../../../models/mini/model.safetensors', import.meta.url),
  new URL('../../../../models/mini/tokenizer.json', import.meta.url),
  new URL('../../../../models/mini/tokenizer_config.json', import.meta.url),
];

/** @throws UserError if the package lacks the embedded model */
export function embeddedFolder(files: readonly URL[] = FILES): string {
  const folder = dirname(fileURLToPath(files[0]!));
  if (files.every((file) => existsSync(file))) return folder;
  throw new UserError({
    key: 'model',
    fault: `is not set, and the built-in model is missing from ${folder}`,
    hint: 'Set model to a folder or a model id on the Hub.',
  });
}
