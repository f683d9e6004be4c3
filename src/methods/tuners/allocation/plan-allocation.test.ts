import { expect, it } from 'vitest';
import type { TunableModel } from '../tuner.ts';
import { planAllocation } from './promised-budget.ts';

it('reports an impossible schedule together with unknown modules', () => {
  const model = {
    parameters: new Map(),
    linears: [{ path: 'layer.0.query', inFeatures: 4, outFeatures: 4 }],
    head: { modules: ['classifier'] },
    headKind: 'SEQ_CLS',
  } as unknown as TunableModel;
  const method = { method: 'adalora', title: 'AdaLoRA', components: 'triplets', kind: 'ADALORA' } as const;
  const settings = { target_modules: ['querry'], target_r: 4, tinit: 70, tfinal: 40, deltaT: 1 };
  expect(() => planAllocation({ ...method, targets: ['query'] }, model, settings as never, 100)).toThrow(
    /target_modules has "querry".*\nadalora\.tinit, adalora\.tfinal leave .*got 70 \+ 40/s,
  );
});
