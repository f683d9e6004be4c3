import { readdirSync } from 'node:fs';
import type { Workspace } from '../../tests/support/workspace.ts';

/**
 * Matches the result files of a run, of each run of a sweep, and of a comparison. Logs are excluded, because
 * they contain times.
 */
const RESULT = /(^|\/)(adapter\/.*|model\/.*|README\.md|table\.(json|csv))$/;
/** Matches times and memory in tables, which differ between equal runs. */
const MEASURED = /("(?:seconds|memoryMb)":(?:\{[^}]*\}|[^,}]*))|(?<=,\d+),[\d.]+,[\d.]+(?=\r\n)/g;

/** Lists the differences between two runs that should be byte for byte the same, and temporary files that remain. */
export function differences(workspace: Workspace, run: string, whole: string): string[] {
  const filesOf = (folder: string) =>
    readdirSync(workspace.path(folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(workspace.path(folder).length + 1));
  const [own, others] = [filesOf(run), filesOf(whole)];
  // Model cards name the data files. In a sweep, these are in the sweep's folder, so its name is replaced.
  const content = (folder: string, file: string) =>
    withoutMeasures(file, workspace.read(folder, file).toString('latin1').replaceAll(whole, run));
  const expected = others.filter((file) => RESULT.test(file));
  if (expected.length === 0) throw new Error(`${whole} has no results`);
  const other = expected.filter((file) => !own.includes(file) || content(run, file) !== content(whole, file));
  return [...other, ...own.filter((file) => file.endsWith('.tmp'))];
}

function withoutMeasures(file: string, text: string): string {
  if (!/table\.(json|csv)$/.test(file)) return text;
  return (file.endsWith('json') ? JSON.stringify(JSON.parse(text)) : text).replaceAll(MEASURED, '');
}
