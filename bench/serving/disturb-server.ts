import { cpSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Disturbing {
  /** Stops. Returns the number of bad adapters, of those that answered all the same, and of clients that left. */
  stop(): Promise<{ bad: number; answering: number; left: number }>;
}

/** Milliseconds that a bad adapter stays: long enough for two scans of the folder. */
const STAY_MS = 5_000;
/** Milliseconds after which a client leaves. */
const LEAVE_MS = 3;

/** Ways to make a good adapter bad, by its folder. */
const HARM: readonly ((folder: string) => void)[] = [
  (folder) => truncateSync(join(folder, 'adapter_model.safetensors'), 1000),
  (folder) => truncateSync(join(folder, 'adapter_model.safetensors'), 2 ** 33),
  (folder) => writeFileSync(join(folder, 'adapter_config.json'), '{'),
  (folder) => {
    const path = join(folder, 'adapter_config.json');
    // Patterns that take an exponential time in most engines.
    const patterns = Array.from({ length: 500 }, (_, i) => `(?:(?:[a-z.]?){50}){50}${i}!`);
    const config = JSON.parse(readFileSync(path, 'utf8'));
    const rank_pattern = Object.fromEntries(patterns.map((pattern) => [pattern, 1]));
    writeFileSync(path, JSON.stringify({ ...config, rank_pattern }));
  },
];

/**
 * Disturbs a server until it is stopped: damaged, hostile and too large adapters come into its folder and go, and
 * clients leave before their answer.
 *
 * @param good an adapter that is copied and then spoiled
 */
export function disturbServer(
  url: string,
  folder: string,
  good: { folder: string; model: string; text: string },
): Disturbing {
  let [isStopped, bad, answering, left] = [false, 0, 0, 0];
  const ask = (model: string, signal?: AbortSignal) =>
    fetch(`${url}/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: good.text, model }),
      signal,
    });
  const work = (async () => {
    for (; !isStopped; bad++) {
      const place = join(folder, 'bad');
      const made = `${folder}-bad`;
      cpSync(good.folder, made, { recursive: true });
      HARM[bad % HARM.length]!(made);
      renameSync(made, place);
      const until = performance.now() + STAY_MS;
      while (performance.now() < until) {
        await ask(good.model, AbortSignal.timeout(LEAVE_MS)).catch(() => left++);
        await new Promise((done) => setTimeout(done, 100));
      }
      const { status } = await ask('bad');
      if (status === 200) answering++;
      rmSync(place, { recursive: true });
    }
  })();
  // Stopping ends the loop with an error.
  work.catch(() => {});
  return {
    async stop() {
      isStopped = true;
      await work;
      return { bad, answering, left };
    },
  };
}
