// Loaded before the program (NODE_OPTIONS=--import): ends it as kill -9 does, at the moment before the file operation
// with the number DIE_AT (from 1) among those that change something on disk.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const OPERATIONS = [
  'mkdirSync',
  'writeSync',
  'fsyncSync',
  'renameSync',
  'appendFileSync',
  'rmSync',
  'copyFileSync',
];
let left = Number(process.env.DIE_AT);

for (const name of OPERATIONS) {
  const original = fs[name];
  fs[name] = (...args) => {
    if (--left === 0) process.kill(process.pid, 'SIGKILL');
    return original(...args);
  };
}
syncBuiltinESMExports();
