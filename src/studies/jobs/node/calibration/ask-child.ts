import { fork } from 'node:child_process';
import type { CalibrationProgress } from '../../calibration/calibration.ts';
import type { ChildAnswer, ChildJob, ChildMessage } from './child.ts';

/** Maximum characters that are kept of a process's output. The end is kept, which says why the process died. */
const KEPT_CHARACTERS = 4000;
/** Matches the line with a fatal message of the engine, V8 or the C++ library. */
const LAST_WORDS = /^.*(FATAL|fatal|[Ee]rror|terminate called|what\(\)).*$/m;

export interface AskOptions {
  /** Aborting kills the process. */
  signal?: AbortSignal;
  onProgress(progress: CalibrationProgress): void;
}

/**
 * Runs a job in a separate process and waits for it, so that all its memory is freed afterwards. If the
 * process dies, the answer is a failure.
 *
 * @throws the signal's reason when it is aborted
 */
export function askChild(job: ChildJob, { signal, onProgress }: AskOptions): Promise<ChildAnswer> {
  signal?.throwIfAborted();
  const child = fork(new URL('./child.js', import.meta.url), {
    // Supports values that JSON lacks.
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill);
  let said = '';
  let answer: ChildAnswer | undefined;
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    said = (said + text).slice(-KEPT_CHARACTERS);
  });
  child.on('message', (message: ChildMessage) => {
    if ('progress' in message) onProgress(message.progress);
    else answer = message;
  });
  child.send(job);
  return new Promise<ChildAnswer>((resolve, reject) => {
    child.on('error', ({ message }) => resolve({ failure: message }));
    // 'close' comes after every message; 'exit' may come before.
    child.on('close', (code, killedBy) => {
      if (signal?.aborted) reject(signal.reason);
      else resolve(answer ?? { failure: ending(code, killedBy, said) });
    });
  }).finally(() => signal?.removeEventListener('abort', kill));
}

/** Describes why a process ended. Linux kills a process without a message if memory runs out. */
function ending(code: number | null, killedBy: NodeJS.Signals | null, said: string): string {
  const words = LAST_WORDS.exec(said)?.[0].trim();
  const reason = words ?? (killedBy === 'SIGKILL' ? 'as the system does when memory runs out' : undefined);
  return `the process ended with ${killedBy ?? `code ${code}`}${reason ? `: ${reason}` : ''}`;
}
