import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import threads from 'node:worker_threads';
import { dieAt } from './mortal-disk.mjs';

/*
 * Runs one command line of the built program after another in one process, as it is told to: what a test file asks for
 * in dozens then loads the program once. After each it says with what exit code, and ends what it has printed by a mark.
 *
 * Training, too, happens in this thread, for a thread of its own would load the program anew. It cannot be interrupted
 * here; tests of that start processes. It can be killed with this process: see mortal-disk.mjs.
 */

const built = (name) => import(new URL(name, pathToFileURL(process.argv[2])));
const { runCommand } = await built('cli/run-command.js');

const { Worker } = threads;
threads.Worker = ThreadOrHere;
syncBuiltinESMExports();

/** What `new` gives: a thread, or for a training what looks like one. */
function ThreadOrHere(url, options) {
  const trains = String(url).endsWith('/jobs/node/worker.js');
  return trains ? trainHere(options.workerData) : new Worker(url, options);
}

/** Functions that score come from a program's own code, never from a command line. */
const noScores = () => Promise.reject(new Error('a command line has no scores of its own'));

function trainHere(job) {
  const worker = Object.assign(new EventEmitter(), { threadId: 0 });
  const send = (message) => worker.emit('message', structuredClone(message));
  dieAt(death);
  built('jobs/node/do-job.js')
    .then(({ doJob }) => doJob(job, send, noScores))
    .then(
      () => worker.emit('exit', 0),
      (error) => worker.emit('error', error),
    );
  return worker;
}

/** When the training of this command dies. */
let death;

process.on('message', async ({ words, input, mark, ...message }) => {
  death = message.death;
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]), configurable: true });
  process.exitCode = undefined;
  await runCommand(words);
  // What other threads have printed is on its way to this one.
  await setImmediate();
  const code = process.exitCode ?? 0;
  process.stdout.write(mark);
  process.stderr.write(mark);
  process.send({ code });
});
