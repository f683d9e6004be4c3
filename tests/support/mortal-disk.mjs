import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/*
 * Import it before the program. It kills this process with SIGKILL at a chosen moment of a training. So the disk has
 * the state after a kill: partial files, a lock, no clean-up.
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

let left = Number.POSITIVE_INFINITY;
let moment;

/**
 * @param death the number of a counted operation, from 1, or an event of the run's log: a type, the first step, and
 * whether the allocation is final. The event's line is written, and nothing after it. Undefined for no kill.
 */
export function dieAt(death) {
  left = typeof death === 'number' ? death : Number.POSITIVE_INFINITY;
  moment = typeof death === 'object' ? death : undefined;
}

for (const name of COUNTED) {
  const original = fs[name];
  fs[name] = (...args) => {
    // Pipes and terminals are not on the disk.
    if (typeof args[0] === 'number' && args[0] <= 2) return original(...args);
    if (--left === 0) process.kill(process.pid, 'SIGKILL');
    const result = original(...args);
    if (name === 'appendFileSync' && moment) dieAfter(...args);
    return result;
  };
}
syncBuiltinESMExports();

function dieAfter(path, line) {
  if (!String(path).endsWith('metrics.jsonl')) return;
  const { type, step, final } = JSON.parse(line);
  if (type === moment.type && step >= (moment.step ?? 0) && (final || !moment.final))
    process.kill(process.pid, 'SIGKILL');
}
