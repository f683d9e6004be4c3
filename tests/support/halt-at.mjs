// Load it before the program (NODE_OPTIONS=--import). A run halts at the moments of its log in HALTS, a JSON list. There
// it sends itself a signal: another process would send it too late, because training does not wait for the reader of its
// output. Then it waits for a file or, if no file is named, until it is asked to stop.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

const PATIENCE_MS = 90_000;
const LOOK_AGAIN_MS = 5;

const halts = JSON.parse(process.env.HALTS);
const original = fs.appendFileSync;

fs.appendFileSync = (path, line, ...rest) => {
  original(path, line, ...rest);
  if (!String(path).endsWith('metrics.jsonl')) return;
  const event = JSON.parse(line);
  const { type, step = 0, final, signal, until } = halts[0] ?? {};
  if (event.type !== type || event.step < step || (final && !event.final)) return;
  halts.shift();
  if (signal) process.kill(process.pid, signal);
  const { stop } = threads.workerData;
  const goesOn = () => (until ? fs.existsSync(until) : Atomics.load(stop, 0) !== 0);
  for (const began = performance.now(); !goesOn(); ) {
    if (performance.now() - began > PATIENCE_MS)
      throw new Error(`nobody has come to the ${type} ${event.step}`);
    Atomics.wait(stop, 0, Atomics.load(stop, 0), LOOK_AGAIN_MS);
  }
};
syncBuiltinESMExports();
