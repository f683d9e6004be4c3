import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { missingFile } from '../../formats/node/missing-file.ts';
import { readText, readYaml } from '../../formats/node/read-text.ts';
import { readEvent, type TrainEvent } from '../../run/events.ts';
import { UserError } from '../../support/user-error.ts';
import { type RunFacts, runFacts } from '../run/run-facts.ts';
import { type RunRecord, runRecord } from '../run/run-record.ts';

/** A log of a million steps has about this size; what is longer could not be held as one text. */
const MAX_LOG_BYTES = 2 ** 28;
/** Of the runs in a folder that is none. */
const MOST_NAMED = 5;

/**
 * What the folder of a run tells: its `config.yaml` and `metrics.jsonl`. The run may be under way, or killed.
 *
 * @param name what the run is called
 * @throws UserError where the folder is not that of a run
 */
export function readRunRecord(folder: string, name = ''): RunRecord {
  if (!statSync(folder, { throwIfNoEntry: false })) throw missingFile(folder, 'the folder of a run');
  const path = configIn(folder);
  const within = existsSync(path) ? [] : runsIn(folder);
  if (within.length > 0) {
    const hint = `Name the runs in it: ${within.slice(0, MOST_NAMED).join(', ')}.`;
    throw new UserError({ where: folder, expected: 'the folder of a run', got: 'one with runs in it', hint });
  }
  const facts = readFacts(path);
  return runRecord(facts, readRunEvents(join(folder, 'metrics.jsonl')), name);
}

/** The events of a log as a report reads them; lines that are none, like a last one cut short, are passed over. */
export function readRunEvents(path: string): TrainEvent[] {
  return readText(path, 'the log of a run', MAX_LOG_BYTES)
    .split('\n')
    .flatMap((line) => readEvent(parsed(line)) ?? []);
}

function readFacts(path: string): RunFacts {
  const facts = runFacts(readYaml(path, 'the config of a run'));
  if (facts) return facts;
  throw new UserError({ where: path, expected: 'the config that a run wrote', got: 'something else' });
}

/** Folders of runs in another folder. */
function runsIn(folder: string): string[] {
  if (!statSync(folder).isDirectory()) return [];
  const inside = readdirSync(folder).map((name) => join(folder, name));
  return inside.filter((path) => existsSync(configIn(path)));
}

function configIn(folder: string): string {
  return join(folder, 'config.yaml');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
