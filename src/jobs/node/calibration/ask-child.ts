import { fork } from 'node:child_process';
import type { CalibrationProgress } from '../../calibration/calibration.ts';
import type { ChildAnswer, ChildJob, ChildMessage } from './child.ts';

/** The end of a process's output that is kept: enough to find why it ended. */
const KEPT_CHARACTERS = 4000;
/** The first words of fatal messages from the engine, V8 and the C++ library. */
const LAST_WORDS = /^.*(FATAL|fatal|[Ee]rror|terminate called|what\(\)).*$/m;

export interface AskOptions {
  /** Aborting kills the process. */
  signal?: AbortSignal;
  onProgress(progress: CalibrationProgress): void;
}

/**
 * Runs a job in its own process and waits for its end, so that its memory is separate and freed afterwards. If the
 * process dies, the answer is a failure.
 *
 * @throws the signal's reason when it is aborted
 */
export function askChild(job: ChildJob, { signal, onProgress }: AskOptions): Promise<ChildAnswer> {
  signal?.throwIfAborted();
  const child = fork(new URL('./child.js', import.meta.url), {
    // Keeps values that JSON lacks.
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

/** Linux kills a process that uses the last of the memory without a message. */
function ending(code: number | null, killedBy: NodeJS.Signals | null, said: string): string {
  const words = LAST_WORDS.exec(said)?.[0].trim();
  const reason = words ?? (killedBy === 'SIGKILL' ? 'as the system does when memory runs out' : undefined);
  return `the process ended with ${killedBy ?? `code ${code}`}${reason ? `: ${reason}` : ''}`;
}
