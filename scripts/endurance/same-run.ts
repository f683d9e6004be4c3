import { readdirSync } from 'node:fs';
import type { Workspace } from '../../tests/support/workspace.ts';

/** What a run leaves for others; the log has times. */
const RESULTS = ['adapter/adapter_model.safetensors', 'adapter/adapter_config.json', 'README.md'];

/** What differs between two runs that should be the same to the byte, or is left of a write. */
export function differences(workspace: Workspace, run: string, whole: string): string[] {
  const other = RESULTS.filter((file) => !workspace.read(run, file).equals(workspace.read(whole, file)));
  const left = readdirSync(workspace.path(run), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.tmp'),
  );
  return [...other, ...left];
}
