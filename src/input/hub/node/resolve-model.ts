import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../../support/user-error.ts';
import { disk } from '../../formats/node/folder-files.ts';
import { EMBEDDED_FILES } from '../embedded-files.ts';
import { Hub } from '../hub.ts';

/** @throws UserError if the package lacks the embedded model */
export function embeddedFolder(files: readonly URL[] = [...EMBEDDED_FILES.values()]): string {
  const folder = dirname(fileURLToPath(files[0]!));
  if (files.every((file) => existsSync(file))) return folder;
  throw new UserError({
    key: 'model',
    fault: `is not set, and the built-in model is missing from ${folder}`,
    hint: 'Set model to a folder or a model id on the Hub.',
    code: 'not_found',
  });
}

/** The Hub as this process reaches it. */
export const hub = new Hub(disk, process.env, homedir, embeddedFolder);

export const resolveModel = hub.resolveModel.bind(hub);
