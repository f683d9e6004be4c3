import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../input/formats/node/safetensors-file.ts';
import type { StoredTensor } from '../../../input/formats/tensor-data.ts';
import { adaLoraConfigSchema } from '../composed/pruned-triplets.ts';
import { RankAllocator } from './allocator.ts';
import type { PrunedModule } from './pruned-module.ts';
import { resolveSchedule } from './resolve-schedule.ts';

const TRAJECTORIES = '../shared/conformance/trajectories';
const CASES = ['bert-adalora', 'deberta-v2-adalora', 'llama-adalora'];

interface Trace {
  tuner: { kind: string; tinit: number; init_r: number };
  training: { steps: number };
  steps: { step: number; budget: number; ranks?: Record<string, number> }[];
}

/** Joins the tensors of a golden case to one vector, in the order of the trace's modules. */
function layOut(tensors: Map<string, StoredTensor>, step: number, modules: string[]) {
  const parts: Record<'sensitivity' | 'uncertainty', number[]> = { sensitivity: [], uncertainty: [] };
  const layout = modules.map((name): PrunedModule => {
    const shapeOf = (tensor: string) => tensors.get(`${step}.sensitivity.${name}.${tensor}`)!.shape;
    const place = (tensor: string) => {
      const offset = parts.sensitivity.length;
      for (const [kind, part] of Object.entries(parts)) {
        const { data } = tensors.get(`${step}.${kind}.${name}.${tensor}`)!;
        part.push(...(data as Float32Array));
      }
      return offset;
    };
    const [rank, inFeatures] = shapeOf('lora_A') as [number, number];
    const offsets = { A: place('lora_A'), E: place('lora_E'), B: place('lora_B') };
    return { name, rank, inFeatures, outFeatures: shapeOf('lora_B')[0]!, offsets };
  });
  const { sensitivity, uncertainty } = parts;
  return { layout, sensitivity: new Float32Array(sensitivity), uncertainty: new Float32Array(uncertainty) };
}

describe.skipIf(!existsSync(TRAJECTORIES))('golden trajectories (needs ../shared/conformance)', () => {
  describe.each(CASES)('%s', (name) => {
    const trace: Trace = existsSync(TRAJECTORIES)
      ? JSON.parse(readFileSync(`${TRAJECTORIES}/${name}/trace.json`, 'utf8'))
      : undefined;
    const { kind: _, ...settings } = trace?.tuner ?? {};
    const config = adaLoraConfigSchema.parse(settings);

    function goldenAllocator(step: number) {
      const modules = Object.keys(trace.steps.at(-1)!.ranks!).map((key) => key.replace(/\.lora_E$/, ''));
      const tensors = readSafetensors(`${TRAJECTORIES}/${name}/middle.safetensors`);
      const golden = layOut(tensors, step, modules);
      const schedule = resolveSchedule(config, trace.training.steps, 'adalora');
      const target = config.target_r! * modules.length;
      const allocator = new RankAllocator(golden.layout, config, schedule, { target });
      return { allocator, tensors, ...golden };
    }

    it('has the same budget at every step', () => {
      const { allocator } = goldenAllocator(3);
      const budgets = trace.steps.map(({ step }) => allocator.budgetAt(step));
      expect(budgets).toEqual(trace.steps.map(({ budget }) => budget));
    });

    it('masks at the same steps', () => {
      const { allocator, layout } = goldenAllocator(3);
      const values = new Float32Array(allocator.state().sensitivity.length);
      const events = trace.steps
        .map(({ step }) => allocator.allocate(step, values)?.event)
        .filter((event) => event !== undefined);
      const masked = trace.steps.filter((row) => 'margin' in row).map(({ step }) => step);
      expect(events.map(({ step }) => step)).toEqual(masked);
      expect(layout.every(({ rank }) => rank === trace.tuner.init_r)).toBe(true);
    });

    it('keeps the same triplets with the averages of the middle', () => {
      const step = trace.tuner.tinit + 4;
      const { allocator, layout, sensitivity, uncertainty, tensors } = goldenAllocator(step);
      allocator.restore({
        sensitivity,
        uncertainty,
        pattern: new Uint8Array(0),
        allocations: 0,
        done: false,
      });
      const values = new Float32Array(sensitivity.length).fill(1);
      const { event } = allocator.allocate(step, values)!;
      const expected = trace.steps[step - 1]!.ranks!;
      expect(Object.keys(event.ranks)).toHaveLength(layout.length);
      for (const [module, rank] of Object.entries(event.ranks))
        expect(rank, module).toBe(expected[`${module}.lora_E`]);
      if (!tensors.has(`${step}.value.base_model.model.${layout[0]!.name}.lora_E`)) return; // Values are stored at some steps only.
      allocator.keep().forEach((keep, k) => {
        const { data } = tensors.get(`${step}.value.base_model.model.${layout[k]!.name}.lora_E`)!;
        const nonzero = [...(data as Float32Array)].map((value) => Number(value !== 0));
        expect(nonzero, layout[k]!.name).toEqual([...keep]);
      });
    });
  });
});
