import { Graph } from '../../src/engine/graph/graph.ts';
import type { HeadKind } from '../../src/models/heads/registry.ts';
import { Network } from '../../src/models/nn/network.ts';
import { modelFamily } from '../../src/models/registry.ts';
import { modelInputs } from '../../src/program/objectives/model-inputs.ts';

/** The number of dropout sites with each probability in the training graph of a head, for a config.json. */
export function dropoutSites(config: { model_type: string }, head: HeadKind): Record<string, number> {
  const family = modelFamily(config, 'config.json');
  const network = new Network(new Graph(), { training: true, masks: 'graph' });
  family.heads[head]?.build(network, family.parseConfig(config, 'config.json'), modelInputs(network.graph));
  const pools = network.graph.nodes.flatMap(({ op, inputs: [pool] }) =>
    op === 'window' ? (pool.node.attributes as { name: string }).name.replace('dropout_pool_', '') : [],
  );
  return Object.fromEntries(
    [...new Set(pools)].map((name) => [name, pools.filter((pool) => pool === name).length]),
  );
}
