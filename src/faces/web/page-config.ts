import type { Device } from '../../engine/runtime/session.ts';
import type { BaseDtype } from '../../program/bases/base-dtype.ts';
import { type Complaint, UserError } from '../../support/user-error.ts';
import type { RunConfigInput } from '../../training/run/config/run-config.ts';

/** A config without its output folder, which has no meaning in a page. */
type WithoutOutput<Input> = Input extends unknown ? Omit<Input, 'output'> & { output?: string } : never;

/** The config of a run in a page, as in Node: `data` has names of files, or rows. The default of `device` is `wasm`. */
export type PageConfig = WithoutOutput<RunConfigInput>;

/** The config of a page's run as one in Node. */
export function inPage(config: PageConfig): RunConfigInput {
  return { device: 'wasm', output: 'page', ...config } as RunConfigInput;
}

/**
 * Rejects the settings that only Node supports. All that a page cannot do is here.
 *
 * @param where the place of the settings for messages
 * @throws UserError with a line for every such setting
 */
export function assertInPage(
  where: string,
  { device, base_dtype = 'float32', dataset }: { device: Device; base_dtype?: BaseDtype; dataset?: unknown },
): void {
  const problems: Complaint[] = [];
  if (device === 'cpu')
    problems.push({ where: `${where}: device`, fault: 'must be wasm or webgpu in a page, got cpu' });
  if (base_dtype !== 'float32') {
    const fault = `must be float32 in a page, got ${base_dtype}`;
    problems.push({ where: `${where}: base_dtype`, fault });
  }
  if (dataset !== undefined) {
    problems.push({
      where: `${where}: data.dataset`,
      fault: 'is not available in a page',
      hint: 'Give files of the page in data.train.',
    });
  }
  if (problems.length > 0)
    throw new UserError(problems.map((problem) => new UserError(problem).message).join('\n'));
}
