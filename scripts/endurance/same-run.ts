import { readdirSync } from 'node:fs';
import type { Workspace } from '../../tests/support/workspace.ts';

/** What a run, or each of a sweep, leaves for others; logs and tables have times. */
const RESULT = /(^|\/)(adapter\/.*|model\/.*|README\.md)$/;

/** What differs between two runs that should be the same to the byte, or is left of a write. */
export function differences(workspace: Workspace, run: string, whole: string): string[] {
  const filesOf = (folder: string) =>
    readdirSync(workspace.path(folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(workspace.path(folder).length + 1));
  const [own, others] = [filesOf(run), filesOf(whole)];
  // Cards name the data, which for a sweep lie in its folder.
  const content = (folder: string, file: string) =>
    workspace.read(folder, file).toString('latin1').replaceAll(whole, run);
  const expected = others.filter((file) => RESULT.test(file));
  if (expected.length === 0) throw new Error(`${whole} has no results`);
  const other = expected.filter((file) => !own.includes(file) || content(run, file) !== content(whole, file));
  return [...other, ...own.filter((file) => file.endsWith('.tmp'))];
}
