import { parseArgs } from 'node:util';
import { coldPair, serveModel, settings } from '../../tests/support/cold-pair.ts';
import { Workspace } from '../../tests/support/workspace.ts';
import { type Kind, whyNot } from '../../tests/support/writers.ts';

/*
 * npx tsx scripts/endurance/cold-starts.ts [--pairs 10]
 *
 * Starts pairs of trainings at the same time. Both use the same empty cache, so each needs to download a
 * model and make a base. The pairs run in threads, in processes, in containers (pid namespaces), and on two
 * hosts (simulated by namespaces of host names and mounts). Each result must be byte for byte that of a single training,
 * and no partial file may remain.
 */
const { values } = parseArgs({ options: { pairs: { type: 'string', default: '10' } } });
const KINDS: [Kind, Kind][] = [
  ['thread', 'thread'],
  ['process', 'process'],
  ['container', 'container'],
  ['container', 'host'],
];

const workspace = new Workspace();
const server = await serveModel(workspace);
let failures = 0;
try {
  const { code, stderr } = await workspace.run('train', 'run.yaml', ...settings('whole', 'model'));
  if (code !== 0) throw new Error(stderr);
  for (const kinds of KINDS) {
    const reason = kinds.map(whyNot).find((reason) => reason !== undefined);
    for (let pair = 1; pair <= (reason ? 0 : Number(values.pairs)); pair++) {
      const wrong = await coldPair(workspace, server, `${kinds.join('-')}-${pair}`, kinds, 'whole');
      for (const problem of wrong) console.log(`${kinds.join(' and ')}, pair ${pair}: ${problem}`);
      failures += Number(wrong.length > 0);
    }
    console.log(`${kinds.join(' and ')}: ${reason ?? `${values.pairs} pairs`}`);
  }
  console.log(`${failures} failures`);
} finally {
  await server.close();
  workspace.remove();
}
process.exitCode = failures > 0 ? 1 : 0;
