import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isAnswer, type KnownRequest } from './load.ts';

/** An adapter with two states. Its folder contains one of them. */
export interface Replaced {
  folder: string;
  /** Folders with the files of the two states, which have equal sizes. */
  states: readonly [string, string];
  /** The answers of both states to the same text. */
  requests: readonly [KnownRequest, KnownRequest];
}

export interface Replacing {
  /**
   * Stops replacing. Returns the number of replacements, and of adapters whose answers do not match their
   * current files.
   */
  stop(url: string, tolerance: number): Promise<{ replaced: number; stale: number }>;
}

/** Milliseconds before the next adapter is replaced. */
const PAUSE_MS = 1500;
/** Long enough for two scans, because a server scans twice before it loads a change. */
const SETTLED_MS = 15_000;

/** Copies one state into an adapter's folder. */
export function fill({ folder, states }: Replaced, state: number): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(states[state]!))
    copyFileSync(join(states[state]!, name), join(folder, name));
}

/** Overwrites adapters in place, one after another. Each gets its other state, with the same file times. */
export function replaceAdapters(adapters: readonly Replaced[]): Replacing {
  const now = adapters.map(() => 0);
  let [replaced, isStopped] = [0, false];
  const write = (i: number) => {
    const { folder, states } = adapters[i]!;
    now[i] = 1 - now[i]!;
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const { atime, mtime } = statSync(path);
      writeFileSync(path, readFileSync(join(states[now[i]]!, name)));
      utimesSync(path, atime, mtime);
    }
    replaced++;
  };
  const work = (async () => {
    for (let i = 0; !isStopped && adapters.length > 0; i++) {
      write(i % adapters.length);
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  })();
  return {
    async stop(url, tolerance) {
      isStopped = true;
      await work;
      await new Promise((done) => setTimeout(done, SETTLED_MS));
      let stale = 0;
      for (const [i, { requests }] of adapters.entries()) {
        const { model, text, expected } = requests[now[i]!]!;
        const answer = await fetch(`${url}/predict`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ inputs: text, model }),
        });
        if (answer.status !== 200 || !isAnswer(await answer.json(), expected, tolerance)) stale++;
      }
      return { replaced, stale };
    },
  };
}
