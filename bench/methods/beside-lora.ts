import { METHOD_NAMES, type MethodName, methodNamed } from '../../src/methods/tuners/registry.ts';
import { measure, type Rounds } from '../measure.ts';
import { median } from '../median.ts';
import { writeRandomCheckpoint } from '../random-checkpoint.ts';
import type { BenchCase } from '../shapes.ts';
import type { Launcher, Side } from '../sides.ts';

/** Options of LoRA that change its step or its start. */
const LORA_OPTIONS: readonly Readonly<Record<string, unknown>>[] = [
  { use_dora: true },
  { init_lora_weights: 'pissa' },
  { loraplus_lr_ratio: 16 },
];

/** Methods that are measured together with LoRA. Each has a process, and all of them are in memory. */
const AT_ONCE = 9;

interface StepOf {
  /** The method with its options. */
  method: string;
  trained: number;
  /** The processor time of the fastest step as a multiple of LoRA's. Other work on the machine only adds to it. */
  time: number;
  /** Peak memory of the process as a multiple of LoRA's. */
  memory: number;
}

export interface BesideLora {
  steps: StepOf[];
  /** LoRA's own processor time (its fastest step) and peak memory (median of its processes). */
  ms: number;
  mb: number;
}

/**
 * Measures a training step of every registered method that fits the model, over one base type. The methods of a group
 * and LoRA take turns after each step. Each has one thread, and its processor time counts, so that other work on the
 * machine matters little. Threads that wait for others would spin, and so take processor time.
 */
export async function besideLora(
  size: BenchCase,
  side: Side,
  launcher: Launcher,
  { rounds, folder, only }: { rounds: Rounds; folder: string; only: string },
): Promise<BesideLora> {
  writeRandomCheckpoint(folder, size);
  launcher.makeBase(folder, 'int8', size.head);
  const all = [
    ...METHOD_NAMES.filter((name) => methodNamed(name).trains === 'adapter' || side.dtype === 'float32')
      .filter((method) => method !== 'lora')
      .map((method) => ({ method })),
    ...LORA_OPTIONS.map((options) => ({ method: 'lora' as const, options })),
  ];
  const methods: { method: MethodName; options?: object }[] = all.filter((one) => nameOf(one).includes(only));
  const result = { steps: [] as StepOf[], ms: [] as number[], mb: [] as number[] };
  for (let at = 0; at < methods.length; at += AT_ONCE) {
    const group = [{ method: 'lora' as MethodName }, ...methods.slice(at, at + AT_ONCE)];
    const { name: _, ...settings } = size;
    const rivals = group.map((one) => ({
      side,
      preparation: { ...settings, ...one, dtype: side.dtype, processThreads: 1, folder },
    }));
    const { measured } = await measure<{ trainable: number }, { cpu: number }, object>(
      launcher,
      'step',
      rivals,
      rounds,
      'step',
      async () => ({}),
    );
    const [lora, ...others] = measured.map(({ prepared, replies, memory }) => ({
      trained: prepared.trainable,
      ms: replies.map(({ cpu }) => cpu),
      mb: memory.peak_mb,
    }));
    result.ms.push(...lora!.ms);
    result.mb.push(lora!.mb);
    others.forEach(({ trained, ms, mb }, i) => {
      const time = Math.min(...ms) / Math.min(...lora!.ms);
      result.steps.push({ method: nameOf(group[i + 1]!), trained, time, memory: mb / lora!.mb });
    });
  }
  return { ...result, ms: Math.min(...result.ms), mb: median(result.mb) };
}

function nameOf({ method, options = {} }: { method: MethodName; options?: object }): string {
  const named = Object.entries(options).map(
    ([key, value]) => ` with ${key}${value === true ? '' : `: ${value}`}`,
  );
  return `${method}${named.join()}`;
}
