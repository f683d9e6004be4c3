import { fork } from 'node:child_process';
import type { CalibrationProgress } from '../../calibration/calibration.ts';
import type { ChildAnswer, ChildJob, ChildMessage } from './child.ts';

/** What is kept of the last words of a process: enough to find why it ended. */
const KEPT_CHARACTERS = 4000;
/** How the engine, V8 and the C++ library begin what they say when they give up. */
const LAST_WORDS = /^.*(FATAL|fatal|[Ee]rror|terminate called|what\(\)).*$/m;

export interface AskOptions {
  /** Aborting kills the process. */
  signal?: AbortSignal;
  onProgress(progress: CalibrationProgress): void;
}

/**
 * Has a job done in a process of its own, and waits for its end: its memory is only its own, and what it needed is free
 * again. A process that dies of it answers with that as its failure.
 *
 * @throws the signal's reason when it is aborted
 */
export function askChild(job: ChildJob, { signal, onProgress }: AskOptions): Promise<ChildAnswer> {
  signal?.throwIfAborted();
  const child = fork(new URL('./child.js', import.meta.url), {
    // Keeps what JSON has no word for.
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
    // After every message, unlike 'exit'.
    child.on('close', (code, killedBy) => {
      if (signal?.aborted) reject(signal.reason);
      else resolve(answer ?? { failure: ending(code, killedBy, said) });
    });
  }).finally(() => signal?.removeEventListener('abort', kill));
}

/** Linux kills without a word what takes the last of the memory. */
function ending(code: number | null, killedBy: NodeJS.Signals | null, said: string): string {
  const words = LAST_WORDS.exec(said)?.[0].trim();
  const reason = words ?? (killedBy === 'SIGKILL' ? 'as the system does when memory runs out' : undefined);
  return `the process ended with ${killedBy ?? `code ${code}`}${reason ? `: ${reason}` : ''}`;
}
