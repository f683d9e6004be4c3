// Load it before the program (NODE_OPTIONS=--import). It counts file operations that take disk space, from 1. From
// operation FULL_AT on, the disk is full. A failing write has already written half of its bytes.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const OPERATIONS = ['mkdirSync', 'writeSync', 'fsyncSync', 'renameSync', 'appendFileSync', 'copyFileSync'];
let left = Number(process.env.FULL_AT);

for (const name of OPERATIONS) {
  const original = fs[name];
  fs[name] = (...args) => {
    const [target, data, offset = 0, length = data?.length - offset] = args;
    // Pipes and terminals are not on the disk.
    if (typeof target === 'number' && target <= 2) return original(...args);
    left--;
    if (left > 0) return original(...args);
    if (left === 0 && name === 'writeSync' && length > 1)
      return original(target, data, offset, Math.floor(length / 2));
    const error = new Error(`ENOSPC: no space left on device, ${name.replace('Sync', '')}`);
    throw Object.assign(error, {
      code: 'ENOSPC',
      errno: -28,
      ...(typeof target === 'string' && { path: target }),
    });
  };
}
syncBuiltinESMExports();
