import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { missingFile } from '../../formats/node/missing-file.ts';
import { UserError } from '../../support/user-error.ts';
import { type RunEvent, runEvent } from '../run/run-event.ts';
import { type RunFacts, runFacts } from '../run/run-facts.ts';
import { type RunRecord, runRecord } from '../run/run-record.ts';

/** A log of a million steps has about this size; what is longer could not be held as one text. */
const MAX_LOG_BYTES = 2 ** 28;
/** A resolved config has some kilobytes, and YAML takes much memory for its size. */
const MAX_CONFIG_BYTES = 2 ** 20;

/**
 * What the folder of a run tells: its `config.yaml` and `metrics.jsonl`. The run may be under way, or killed.
 *
 * @throws UserError where the folder is not that of a run
 */
export function readRunRecord(folder: string): RunRecord {
  if (!statSync(folder, { throwIfNoEntry: false })) throw missingFile(folder, 'the folder of a run');
  const facts = readFacts(join(folder, 'config.yaml'));
  return runRecord(facts, readRunEvents(join(folder, 'metrics.jsonl')));
}

/** The events of a log as a report reads them; lines that are none, like a last one cut short, are passed over. */
export function readRunEvents(path: string): RunEvent[] {
  return readText(path, 'the log of a run', MAX_LOG_BYTES)
    .split('\n')
    .flatMap((line) => runEvent(parsed(line)) ?? []);
}

function readFacts(path: string): RunFacts {
  const facts = runFacts(parsedYaml(readText(path, 'the config of a run', MAX_CONFIG_BYTES)));
  if (facts) return facts;
  throw new UserError({ where: path, expected: 'the config that a run wrote', got: 'something else' });
}

/** As plain data, which it is not where aliases make a circle or explode: then undefined. */
function parsedYaml(text: string): unknown {
  try {
    const document = parseDocument(text);
    return document.errors.length === 0 ? JSON.parse(JSON.stringify(document.toJS())) : undefined;
  } catch {
    return undefined;
  }
}

function readText(path: string, expected: string, most: number): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw missingFile(path, expected);
  if (!stats.isFile()) throw new UserError({ where: path, expected: `${expected}, a file`, got: 'a folder' });
  if (stats.size > most)
    throw new UserError({ where: path, expected: `at most ${most} bytes`, got: `${stats.size}` });
  return readFileSync(path, 'utf8');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
