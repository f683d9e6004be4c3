import { disk } from '../../src/input/formats/node/folder-files.ts';
import { AdapterFolders } from '../../src/use/serving/adapter-folders.ts';
import { AdapterPlaces } from '../../src/use/serving/find-adapters.ts';
import { readContent } from '../../src/use/serving/served-adapter.ts';
import { BaseModel } from '../../src/use/serving/served-base.ts';
import { LocalService } from '../../src/use/serving/service/local-service.ts';
import { Serving } from '../../src/use/serving/serving.ts';
import { models } from '../../src/use/trained/node/load-model.ts';
import { isAnswer, type KnownRequest } from './load.ts';

export interface OpenService {
  /** Requests `amount` rows, 1000 at a time, because PEFT's side sorts 1000 rows at a time by length. */
  block(
    requests: readonly KnownRequest[],
    load: { amount: number; tolerance: number },
  ): Promise<{ rowsPerSecond: number; wrong: number; failed: number }>;
  close(): Promise<void>;
}

const AT_ONCE = 1000;

/** Opens the service of `adalora serve` in this process, without HTTP. It has the command's limits. */
export async function openService(
  folder: string,
  base: string,
  dtype: 'float32' | 'int8',
): Promise<OpenService> {
  const opened = await BaseModel.open(models, base, dtype, () => {});
  const limits = { maxRows: 32, maxTokens: 8192, maxWait: 2, maxQueued: AT_ONCE };
  const serving = new Serving(opened, {
    rows: { ...limits, batches: opened.batches },
    decoding: limits,
  });
  const adapters = new AdapterFolders(
    new AdapterPlaces(disk, [folder]),
    opened,
    serving,
    () => {},
    (found) => readContent(found, opened),
  );
  await adapters.readAll();
  await serving.open();
  const service = new LocalService(serving, adapters);
  return {
    async block(requests, { amount, tolerance }) {
      const startedAt = performance.now();
      let wrong = 0;
      const ask = async (at: number) => {
        const { model, text, expected } = requests[at % requests.length]!;
        const [answer] = await service.predict({ model, inputs: [{ text }], truncate: true, raw: false });
        if (!isAnswer(answer as { label: string; score: number }[], expected, tolerance)) wrong++;
      };
      for (let first = 0; first < amount; first += AT_ONCE) {
        const count = Math.min(AT_ONCE, amount - first);
        await Promise.all(Array.from({ length: count }, (_, i) => ask(first + i)));
      }
      return { rowsPerSecond: (amount / (performance.now() - startedAt)) * 1000, wrong, failed: 0 };
    },
    close: () => service.close(),
  };
}
