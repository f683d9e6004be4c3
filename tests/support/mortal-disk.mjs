import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/*
 * Import it before the program. At a chosen moment of a training it kills this process with SIGKILL, or ends the
 * training as if it had: the disk keeps its state from then on. So it has partial files, a lock, no clean-up.
 */

/** The file operations that are counted. The kill happens directly before one of them. */
const COUNTED = [
  'mkdirSync',
  'writeSync',
  'fsyncSync',
  'renameSync',
  'appendFileSync',
  'rmSync',
  'copyFileSync',
];
/** The others that change the disk. */
const UNCOUNTED = [
  'ftruncateSync',
  'linkSync',
  'mkdtempSync',
  'openSync',
  'symlinkSync',
  'truncateSync',
  'unlinkSync',
  'utimesSync',
  'writeFileSync',
];

let left = Number.POSITIVE_INFINITY;
let moment;
let die;
let isDead = false;

/**
 * @param death the number of a counted operation, from 1, or an event of the run's log: a type, the first step, and
 * whether the allocation is final. The event's line is written, and nothing after it. Undefined for no kill.
 * @param kill what ends the process
 */
export function dieAt(death, kill = () => process.kill(process.pid, 'SIGKILL')) {
  left = typeof death === 'number' ? death : Number.POSITIVE_INFINITY;
  moment = typeof death === 'object' ? death : undefined;
  die = kill;
}

/** A kill for `dieAt`: the disk is read-only until `revive`. */
export function freeze() {
  isDead = true;
  throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS', errno: -30 });
}

/** @returns whether the disk was frozen */
export function revive() {
  const wasDead = isDead;
  isDead = false;
  return wasDead;
}

for (const name of [...COUNTED, ...UNCOUNTED]) {
  const original = fs[name];
  const isCounted = COUNTED.includes(name);
  fs[name] = (...args) => {
    // Pipes and terminals are not on the disk.
    const isOutside = typeof args[0] === 'number' && args[0] <= 2;
    if (isOutside || (name === 'openSync' && (args[1] ?? 'r') === 'r')) return original(...args);
    if (isDead) freeze();
    if (isCounted && --left === 0) die();
    const result = original(...args);
    if (name === 'appendFileSync' && moment) dieAfter(...args);
    return result;
  };
}
syncBuiltinESMExports();

function dieAfter(path, line) {
  if (!String(path).endsWith('metrics.jsonl')) return;
  const { type, step, final } = JSON.parse(line);
  if (type === moment.type && step >= (moment.step ?? 0) && (final || !moment.final)) die();
}
