import { fork } from 'node:child_process';
import { Caller, type Remote } from '../../../../support/calls/caller.ts';
import type { CalibrationChild } from '../../calibration/calibration.ts';

/** Maximum characters that are kept of a process's output. The end is kept, which says why the process died. */
const KEPT_CHARACTERS = 4000;
/** Matches the line with a fatal message of the engine, V8 or the C++ library. */
const LAST_WORDS = /^.*(FATAL|fatal|[Ee]rror|terminate called|what\(\)).*$/m;

/** Does work in a separate process. See `FolderMachine`. */
export async function inChild<Result>(
  work: (child: Remote<CalibrationChild>) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  signal?.throwIfAborted();
  const child = fork(new URL('./child.js', import.meta.url), {
    // Supports values that JSON lacks.
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    said = (said + text).slice(-KEPT_CHARACTERS);
  });
  const caller = new Caller({
    send: (message) => void child.send(message),
    onMessage: (listener) => void child.on('message', listener),
  });
  child.on('error', (error) => caller.fail(error));
  // 'close' comes after every message; 'exit' may come before.
  const ended = new Promise<void>((resolve) => {
    child.on('close', (code, killedBy) => {
      caller.fail(signal?.aborted ? signal.reason : new Error(ending(code, killedBy, said)));
      resolve();
    });
  });
  try {
    return await work(caller.remote<CalibrationChild>(['makeBase', 'measure']));
  } finally {
    // It would wait for the engine's threads.
    kill();
    if (child.pid !== undefined) await ended;
    signal?.removeEventListener('abort', kill);
  }
}

/** Describes why a process ended. Linux kills a process without a message if memory runs out. */
function ending(code: number | null, killedBy: NodeJS.Signals | null, said: string): string {
  const words = LAST_WORDS.exec(said)?.[0].trim();
  const reason = words ?? (killedBy === 'SIGKILL' ? 'as the system does when memory runs out' : undefined);
  return `the process ended with ${killedBy ?? `code ${code}`}${reason ? `: ${reason}` : ''}`;
}
