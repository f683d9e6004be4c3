import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeMadeAdapter } from '../../../tests/support/made-adapter.ts';
import { writeSmallGenerator } from '../../../tests/support/small-generator.ts';
import { disk } from '../../input/formats/node/folder-files.ts';
import { models } from '../trained/node/load-model.ts';
import { adapterIn } from './find-adapters.ts';
import { PackedCache, readContent, serveBase, servedAdapter } from './served-adapter.ts';
import { BaseModel } from './served-base.ts';

it("a base without a known task is served by its adapters' notes", async () => {
  const root = mkdtempSync(join(tmpdir(), 'served-'));
  try {
    const [model, folder] = [join(root, 't5'), join(root, 'adapter')];
    // Without `architectures`, as in a hand-written config.json.
    writeSmallGenerator(model, 't5');
    const data = { source: 'source', target: 'target' };
    writeMadeAdapter(folder, model, { task: 'seq2seq_lm', labels: [], data, targets: ['q', 'v'], seed: 1 });
    const base = await BaseModel.open(models, model, 'float32');
    expect(await serveBase(base)).toBeUndefined();
    const found = adapterIn(disk, folder)!;
    const served = await servedAdapter(found, 'a', base, new PackedCache(2 ** 20), () =>
      readContent(found, base),
    );
    expect(served.trained.task).toBe('seq2seq_lm');
    base.close();
  } finally {
    rmSync(root, { recursive: true });
  }
});
