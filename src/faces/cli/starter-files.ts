import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readText } from '../../input/formats/files.ts';
import { disk } from '../../input/formats/node/folder-files.ts';
import { UserError } from '../../support/user-error.ts';
import { DEFAULT_TASK, TASK_NAMES } from '../../tasks/registry.ts';
import { CONFIG_NAME } from './config-path.ts';

/** The package's root is three folders above this file, both in the source and in the build. */
const STARTER = fileURLToPath(new URL('../../../examples/starter', import.meta.url));

/**
 * The files of `adalora init`, the config first: a commented config, and example rows to replace. Training
 * and evaluation rows do not overlap.
 *
 * @throws UserError for a task without starter files
 */
export function starterFiles(task: string = DEFAULT_TASK): { name: string; content: string }[] {
  const folderOf = (name: string) => (name === DEFAULT_TASK ? STARTER : join(STARTER, name));
  const known = TASK_NAMES.filter((name) => existsSync(folderOf(name)));
  const knownTask = known.find((name) => name === task);
  if (!knownTask) {
    const hint = "For other tasks, see the configs in the package's folder examples.";
    throw new UserError({ key: '--task', expected: `one of ${known.join(', ')}`, got: task, hint });
  }
  const folder = folderOf(knownTask);
  const rows = readdirSync(folder).filter((name) => /^(train|validation)\./.test(name));
  return [CONFIG_NAME, ...rows.sort()].map((name) => ({
    name,
    content: readText(disk, join(folder, name), 'a file of the package'),
  }));
}
