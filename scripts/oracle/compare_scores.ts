/**
 * npx tsx scripts/oracle/compare_scores.ts FOLDER
 *
 * Compares the scores of files with the output of `score_files.py`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { textFile } from '../../src/input/data/node/text-files.ts';
import { SCORE_KINDS } from './official-scores/score-kinds.ts';

interface Case {
  kind: string;
  files: { predictions: string; references?: string; odds?: string };
  expected: Record<string, unknown>;
}

const [folder] = process.argv.slice(2);
// numpy sums in another order.
const CLOSE = 1e-9;

/** The paths at which two values differ. JSON has no NaN, so it is null in our output. */
function differences(found: unknown, wanted: unknown, path: string): string[] {
  if (typeof wanted === 'object' && wanted !== null) {
    const keys = new Set([...Object.keys(wanted), ...Object.keys(Object(found))]);
    const at = (value: unknown, key: string) => (value as Record<string, unknown> | undefined)?.[key];
    return [...keys].flatMap((key) => differences(at(found, key), at(wanted, key), `${path}.${key}`));
  }
  if (Object.is(found, wanted)) return [];
  const isNear = Math.abs(Number(found) - Number(wanted)) <= CLOSE * Math.max(1, Math.abs(Number(wanted)));
  return typeof found === 'number' && isNear ? [] : [`${path}: ${found}, not ${wanted}`];
}

const lines = readFileSync(join(folder!, 'cases.jsonl'), 'utf8').split('\n').slice(0, -1);
const counts = new Map<string, { cases: number; wrong: number }>();
for (const line of lines) {
  const { kind, files, expected } = JSON.parse(line.replace(/\bNaN\b/g, 'null')) as Case;
  const of = counts.get(kind) ?? { cases: 0, wrong: 0 };
  counts.set(kind, of);
  of.cases++;
  const file = (path: string | undefined) => path && textFile(join(folder!, path));
  let wrong: string[];
  try {
    const { score } = await SCORE_KINDS[kind]!();
    const given = { predictions: textFile(join(folder!, files.predictions)) };
    const others = {
      references: file(files.references) || undefined,
      nullOdds: file(files.odds) || undefined,
    };
    const found = JSON.stringify(score({ ...given, ...others }, () => {}));
    wrong = differences(JSON.parse(found), expected, '');
  } catch (error) {
    wrong = [String(error)];
  }
  if (wrong.length === 0) continue;
  of.wrong++;
  if (of.wrong <= 5) console.log(`${files.predictions}: ${wrong.slice(0, 4).join('; ')}`);
}
for (const [kind, { cases, wrong }] of counts) console.log(`${kind}: ${wrong} of ${cases} differ`);
process.exitCode = [...counts.values()].some(({ wrong }) => wrong > 0) ? 1 : 0;
