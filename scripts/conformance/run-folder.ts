import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Findings } from './compare.ts';
import { modelCase } from './model-case.ts';
import { Skipped } from './read-case.ts';
import { trajectoryCase } from './trajectory-case.ts';

export interface Case {
  /** The case's folder: `models/bert-classification`. */
  name: string;
  /** `models`, or the method of a trajectory, such as `LORA`. */
  kind: string;
  run(): Promise<Outcome>;
}

export interface Outcome {
  status: 'passed' | 'failed' | 'skipped';
  /** The result, on one line. */
  text: string;
}

const GROUPS = {
  models: { check: modelCase, kindOf: () => 'models' },
  trajectories: { check: trajectoryCase, kindOf: tunerKind },
};

/** The cases in a folder with the format of the golden cases. A missing group has no cases. */
export function listCases(folder: string): Case[] {
  return Object.entries(GROUPS).flatMap(([group, { check, kindOf }]) => {
    const cases = join(folder, group);
    if (!existsSync(cases)) return [];
    return readdirSync(cases, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort()
      .map((name) => ({
        name: `${group}/${name}`,
        kind: kindOf(join(cases, name)),
        run: () => outcome(() => check(join(cases, name))),
      }));
  });
}

/** The kind of a trace's method. `unknown` if the trace is unreadable; its case then fails. */
function tunerKind(folder: string): string {
  try {
    return String(JSON.parse(readFileSync(join(folder, 'trace.json'), 'utf8')).tuner.kind);
  } catch {
    return 'unknown';
  }
}

/** Runs a case. Any error counts as a failure of the case, because its folder may be broken. */
async function outcome(check: () => Promise<Findings>): Promise<Outcome> {
  try {
    const findings = await check();
    return { status: findings.passed ? 'passed' : 'failed', text: describe(findings) };
  } catch (error) {
    const text = (error as Error).message.replaceAll('\n', ' ');
    return { status: error instanceof Skipped ? 'skipped' : 'failed', text };
  }
}

function describe({ deviations, faults, notes }: Findings): string {
  const shown = [...deviations].map(([kind, { value, limit, at }]) => {
    const where = value <= limit ? '' : ` at ${at}`;
    return `${kind} ${value.toExponential(1)} of ${limit.toExponential(1)}${where}`;
  });
  return [...faults, ...shown, ...notes].join(', ');
}
