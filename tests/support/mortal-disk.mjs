import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/*
 * The disk under a training that is killed. Import it before the program. From the moment of death on, every change is
 * refused until the disk is revived. Whatever the training still does then, the disk holds what a kill at that moment
 * leaves: half-made files, no clean-up.
 */

/** Operations that are counted: a death is before one of them. */
const COUNTED = [
  'mkdirSync',
  'writeSync',
  'fsyncSync',
  'renameSync',
  'appendFileSync',
  'rmSync',
  'copyFileSync',
];
/** They change the disk too. */
const OTHERS = ['linkSync', 'symlinkSync', 'writeFileSync', 'truncateSync', 'ftruncateSync', 'utimesSync'];

let left = Number.POSITIVE_INFINITY;
let moment;
let isDead = false;

/**
 * @param death the number of a counted operation, from 1, or an event of the run's log: a type, the first step, and whether
 * the allocation is final. The event's line is written, and nothing after it
 */
export function dieAt(death) {
  if (typeof death === 'number') left = death;
  else moment = death;
}

export const hasDied = () => isDead;

/** From now on nothing is refused. */
export function revive() {
  left = Number.POSITIVE_INFINITY;
  moment = undefined;
  isDead = false;
}

function refused() {
  return Object.assign(new Error('EIO: the training was killed'), { code: 'EIO', errno: -5 });
}

for (const name of [...COUNTED, ...OTHERS]) {
  const original = fs[name];
  fs[name] = (...args) => {
    // Pipes and terminals are no disk.
    if (typeof args[0] === 'number' && args[0] <= 2) return original(...args);
    if (COUNTED.includes(name) && --left === 0) isDead = true;
    if (isDead) throw refused();
    const result = original(...args);
    if (name === 'appendFileSync' && moment) dieAfter(...args);
    return result;
  };
}

const open = fs.openSync;
fs.openSync = (path, flags = 'r', ...rest) => {
  if (isDead && flags !== 'r') throw refused();
  return open(path, flags, ...rest);
};
syncBuiltinESMExports();

function dieAfter(path, line) {
  if (!String(path).endsWith('metrics.jsonl')) return;
  const { type, step, final } = JSON.parse(line);
  if (type === moment.type && step >= (moment.step ?? 0) && (final || !moment.final)) isDead = true;
}
