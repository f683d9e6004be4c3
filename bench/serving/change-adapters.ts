import { isAnswer, type KnownRequest } from './load.ts';

export interface Changes {
  /** Stops loading and unloading. Returns the number of changes, and the number of wrong answers meanwhile. */
  stop(): Promise<{ changes: number; wrong: number }>;
}

/** Milliseconds between two changes. */
const PAUSE = 100;

/** Loads adapters under new names, sends requests to them, and unloads them, until it is stopped. */
export function changeAdapters(url: string, requests: readonly KnownRequest[], tolerance: number): Changes {
  let [isStopped, changes, wrong] = [false, 0, 0];
  const post = (path: string, body: object) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const work = (async () => {
    for (let i = 0; !isStopped; i++) {
      const { model, text, expected } = requests[(i * 7) % requests.length]!;
      const lora_name = `passing-${i}`;
      await post('/v1/load_lora_adapter', { lora_name, lora_path: model });
      const answer = await post('/predict', { inputs: text, model: lora_name });
      if (answer.status !== 200 || !isAnswer(await answer.json(), expected, tolerance)) wrong++;
      await post('/v1/unload_lora_adapter', { lora_name });
      changes += 2;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  })();
  // Stopping ends the loop with an error.
  work.catch(() => {});
  return {
    async stop() {
      isStopped = true;
      await work;
      return { changes, wrong };
    },
  };
}
