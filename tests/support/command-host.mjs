import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import threads from 'node:worker_threads';
import { dieAt } from './mortal-disk.mjs';

/*
 * Runs command lines of the built program one after another in one process, so that a test file with dozens of them
 * loads the program once. After each command, it reports the exit code, and marks the end of the output.
 *
 * Training also runs in this thread, because a thread of its own would load the program again. So it cannot be
 * interrupted. Tests that interrupt training start processes. It can be killed with this process: see mortal-disk.mjs.
 */

const built = (name) => import(new URL(name, pathToFileURL(process.argv[2])));
const { runCommand } = await built('cli/run-command.js');

const { Worker } = threads;
threads.Worker = ThreadOrHere;
syncBuiltinESMExports();

/** Replaces `Worker`: starts a real thread or, for training, an object that behaves like one. */
function ThreadOrHere(url, options) {
  const trains = String(url).endsWith('/jobs/node/worker.js');
  return trains ? trainHere(options.workerData) : new Worker(url, options);
}

/** Functions for scores come from a program's own code, never from a command line. */
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

/** The moment at which this command's training is killed. */
let death;

process.on('message', async ({ words, input, mark, ...message }) => {
  death = message.death;
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]), configurable: true });
  process.exitCode = undefined;
  await runCommand(words);
  // Other threads' output has not arrived in this thread yet.
  await setImmediate();
  const code = process.exitCode ?? 0;
  process.stdout.write(mark);
  process.stderr.write(mark);
  process.send({ code });
});
