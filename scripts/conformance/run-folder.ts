import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Findings } from './compare.ts';
import { modelCase } from './model-case.ts';
import { Skipped } from './read-case.ts';
import { trajectoryCase } from './trajectory-case.ts';

export interface Case {
  /** `models/bert-classification` */
  name: string;
  run(): Promise<Outcome>;
}

export interface Outcome {
  status: 'passed' | 'failed' | 'skipped';
  /** What was found, on one line. */
  text: string;
}

const KINDS = { models: modelCase, trajectories: trajectoryCase };

/** The cases of a folder in the format of the golden cases; none of a kind whose folder is missing. */
export function listCases(folder: string): Case[] {
  return Object.entries(KINDS).flatMap(([kind, check]) => {
    const cases = join(folder, kind);
    if (!existsSync(cases)) return [];
    return readdirSync(cases, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort()
      .map((name) => ({ name: `${kind}/${name}`, run: () => outcome(() => check(join(cases, name))) }));
  });
}

/** Whatever a case throws is its failure: a folder may be broken. */
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
