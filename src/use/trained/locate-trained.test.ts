import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { hub } from '../../input/hub/node/resolve-model.ts';
import { locateTrained } from './locate-trained.ts';

it('a missing run is not looked up on the Hub: the existing runs are listed', async () => {
  const folder = newFolder();
  for (const name of ['a', 'b']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'config.yaml'), '');
  }
  const wanted = join(folder, 'nothing');
  await expect(locateTrained(hub, wanted)).rejects.toThrow(
    `${wanted} does not exist; it should be the folder of a run. Available runs: ${join(folder, 'a')}, ${join(folder, 'b')}.`,
  );
  await expect(locateTrained(hub, 'runs/nothing-of-that-name')).rejects.toThrow(
    'does not exist; it should be the folder of a run',
  );
});
