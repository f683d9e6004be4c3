import { afterAll, beforeAll, expect, it } from 'vitest';
import { coldPair, serveModel, settings } from './support/cold-pair.ts';
import { newWorkspace } from './support/commands.ts';
import type { HubServer } from './support/hub-server.ts';
import { type Kind, whyNot } from './support/writers.ts';

const workspace = newWorkspace();
let server: HubServer;
beforeAll(async () => {
  server = await serveModel(workspace);
  const { code, stderr } = await workspace.run('train', 'run.yaml', ...settings('whole', 'model'));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
afterAll(async () => {
  await server.close();
});

it.for<[Kind, Kind]>([
  ['thread', 'thread'],
  ['container', 'host'],
])(
  'a %s and a %s that need the same model and base at once train like a single run',
  async (kinds, { skip }) => {
    const reason = kinds.map(whyNot).find((reason) => reason !== undefined);
    skip(reason !== undefined, reason);
    expect(await coldPair(workspace, server, kinds.join('-'), kinds, 'whole')).toEqual([]);
  },
);
