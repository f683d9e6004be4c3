import { expect, it } from 'vitest';
import type { Plan } from '../../../studies/jobs/plan/plan.ts';
import { describePlan } from './plan.ts';

const adalora: Plan = {
  method: 'adalora',
  baseDtype: 'float32',
  gradientCheckpointing: false,
  chosen: [],
  sites: 2,
  ranks: {
    'bert.encoder.layer.0.attention.self.query': 12,
    'bert.encoder.layer.1.attention.self.query': 12,
  },
  trainableParameters: 19226,
  adapterParameters: 18456,
  totalParameters: 22732442,
  steps: 1072,
  stepsPerEpoch: 268,
  tokens: 98123,
  budget: {
    components: 'triplets',
    initial: 24,
    target: 16,
    tinit: 107,
    tfinal: 428,
    deltaT: 10,
    unit: 'components',
    forms: {
      initial: { rank: 12, components: 24, parameters: 18456 },
      target: { rank: 8, components: 16, parameters: 12304 },
    },
    rounded: [],
  },
  seconds: 83.4,
  memoryMb: 612.3,
  bases: [
    { dtype: 'float32', memoryMb: 612.3 },
    { dtype: 'int8', memoryMb: 560 },
  ],
};

it('states what is trained, for how long and with how much memory', () => {
  expect(`\n${describePlan(adalora)}\n`).toMatchInlineSnapshot(`
    "
    method       adalora
    trained      19,226 parameters, 0.08 % of 22,732,442
    in adapters  18,456 in 2 matrices
    steps        1,072, 268 per epoch
    tokens       98,123 per epoch
    budget       24 triplets down to 16
                 falls from step 107 to 644, every 10 steps
    mean rank    12 to 8
    parameters   18,456 to about 12,304, 0.05 % of the model's
    time         about 1:23 min on this machine
    memory       about 612 MB at the peak

    layer  query  mean
    0         12  12.0
    1         12  12.0
    mean    12.0  12.0

    base_dtype  memory
    float32     612 MB  (this config)
    int8        560 MB
    "
  `);
});

it('a plan for full fine-tuning has no modules and no budget', () => {
  const full: Plan = {
    ...adalora,
    method: 'full',
    budget: undefined,
    sites: 0,
    ranks: {},
    adapterParameters: 0,
  };
  expect(describePlan(full)).not.toMatch(/layer|budget|in adapters/);
});

it('a plan for an adapter without ranks counts modules', () => {
  const biases: Plan = { ...adalora, method: 'bitfit', budget: undefined, sites: 22, ranks: {} };
  expect(describePlan(biases)).toContain('\nin adapters  18,456 in 22 modules\n');
  expect(describePlan(biases)).not.toMatch(/layer|budget/);
});

it('says that activations are recomputed', () => {
  expect(describePlan({ ...adalora, gradientCheckpointing: true })).toContain(
    '\nactivations  recomputed (gradient_checkpointing)\n',
  );
  expect(describePlan(adalora)).not.toContain('activations');
});
