import { AsyncLocalStorage } from 'node:async_hooks';
import processes from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import threads from 'node:worker_threads';
import { dieAt, freeze, revive } from './mortal-disk.mjs';

/*
 * Runs command lines of the built program one after another in one process, so that test files with dozens of them
 * load the program once. After each command, it reports the exit code, and marks the end of the output.
 *
 * Training also runs in this thread, because a thread of its own would load the program again. So it cannot be
 * interrupted. Tests that interrupt training start processes. A kill freezes the disk (mortal-disk.mjs), and this
 * process goes on with what it has compiled: a new one takes a second more until its first step. Runs of sweeps and
 * comparisons, which have a process each, run here too. tests/sweep.test.ts also starts one with real processes.
 */

const built = (name) => import(new URL(name, pathToFileURL(process.argv[2])));
const { runCommand } = await built('faces/cli/run-command.js');

const { Worker } = threads;
threads.Worker = ThreadOrHere;
const { spawn } = processes;
processes.spawn = processOrHere;
syncBuiltinESMExports();

/** Replaces `Worker`: starts a real thread or, for training, an object that behaves like one. */
function ThreadOrHere(url, options) {
  const trains = String(url).endsWith('/jobs/node/worker.js');
  return trains ? trainHere(options.workerData) : new Worker(url, options);
}

function trainHere({ port, stop }) {
  let listener;
  const early = [];
  const worker = Object.assign(new EventEmitter(), {
    threadId: 0,
    postMessage: (message) => (listener ? listener(message) : early.push(message)),
  });
  const reply = () => {
    const reply = threads.receiveMessageOnPort(port);
    return reply ? reply.message : once(port, 'message').then(([message]) => message);
  };
  const parent = {
    send: (message) => worker.emit('message', structuredClone(message)),
    onMessage(given) {
      listener = given;
      early.forEach(given);
    },
  };
  const end = () => {
    setImmediate().then(() => worker.emit('exit', 0));
    port.close();
  };
  dieAt(death, freeze);
  Promise.all([built('studies/jobs/answer-training.js'), built('studies/jobs/node/machine.js')]).then(
    ([{ answerTraining }, { THIS_NODE }]) => answerTraining(THIS_NODE, parent, { reply, stop }, end),
  );
  return worker;
}

/** The command within a command that runs now. */
const inner = new AsyncLocalStorage();
for (const name of ['stdout', 'stderr']) {
  const stream = process[name];
  const write = stream.write.bind(stream);
  stream.write = (text, ...rest) => {
    const child = inner.getStore();
    if (!child) return write(text, ...rest);
    rest.findLast((argument) => typeof argument === 'function')?.();
    return child.asParent(() => child[name].write(text));
  };
}

/** Replaces `spawn`: starts a real process or, for the training of a config, a command in this one. */
function processOrHere(file, words, ...rest) {
  const isTraining = words?.[0]?.endsWith('/cli/main.js') && words[1] === 'train';
  return isTraining ? commandHere(words.slice(1)) : spawn(file, words, ...rest);
}

function commandHere(words) {
  const child = Object.assign(new EventEmitter(), {
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    asParent: AsyncLocalStorage.snapshot(),
  });
  inner.run(child, async () => {
    await runCommand(words);
    const code = process.exitCode ?? 0;
    process.exitCode = undefined;
    const streams = [child.stdout, child.stderr];
    child.asParent(() => {
      Promise.all(streams.map((stream) => once(stream, 'end'))).then(() => child.emit('close', code, null));
      for (const stream of streams) stream.end();
    });
  });
  return child;
}

/** The moment at which this command's training is killed. */
let death;

const { pid } = process;
/** Its locks and files belong to a process that has ended. */
const DEAD_PID = 999_999_999;

/** The tests have ended. */
process.on('disconnect', () => process.exit());

process.on('message', async ({ words, input, mark, folder, env, ...message }) => {
  death = message.death;
  process.chdir(folder);
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(env, name)) delete process.env[name];
  Object.assign(process.env, env);
  Object.defineProperty(process, 'pid', { value: death === undefined ? pid : DEAD_PID, configurable: true });
  Object.defineProperty(process, 'stdin', {
    value: Readable.from([Buffer.from(input, 'base64')]),
    configurable: true,
  });
  process.exitCode = undefined;
  if (env.TOLD) await import('./tell-threads.mjs');
  await runCommand(words);
  // Other threads' output has not arrived in this thread yet.
  await setImmediate();
  const code = process.exitCode ?? 0;
  process.stdout.write(mark);
  process.stderr.write(mark);
  process.send({ code, ...(revive() && { wasKilled: true }) });
});
