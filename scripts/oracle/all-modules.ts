import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { StoredTensor } from '../../src/input/formats/tensor-data.ts';
import { METHODS } from '../../src/methods/tuners/registry.ts';
import type { TunedValues } from '../../src/methods/tuners/tuner.ts';
import type { HeadKind } from '../../src/models/heads/registry.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import { modelFeeds } from '../../src/program/objectives/model-inputs.ts';
import { plainModel } from '../../src/program/objectives/plain-model.ts';
import { Program } from '../../src/program/program.ts';
import type { LoadedModel } from '../../src/program/weight-memory.ts';
import { Random } from '../../src/support/random.ts';
import { knownAdapter, tuneModel } from '../../src/use/trained/tune-model.ts';
import { readAdapter, writeAdapter } from '../../tests/support/adapter-folder.ts';
import { familyIn, openIn } from '../../tests/support/describe-in.ts';
import { readSafetensors, writeSafetensors } from '../../tests/support/safetensors-file.ts';
import { batchOf, logitsOf } from '../conformance/read-case.ts';
import { inTheirOrder } from '../conformance/real-logits.ts';

/*
 * tsx scripts/oracle/all-modules.ts
 *
 * Compares adapters of every linear module of every family with PEFT, both ways: PEFT's LoRA and AdaLoRA are opened
 * here, and PEFT opens those that are made here. Logits must be equal to 1e-4 of the largest. Needs a Python with torch and
 * peft (PYTHON, default: python3).
 */

const PYTHON = process.env.PYTHON ?? 'python3';
/** Relative to the largest logit. Sums of float32 products differ by their order. */
const TOLERANCE = 1e-4;

interface Case {
  head: HeadKind;
  class: string;
  linears: Record<string, unknown>;
}

const folder = mkdtempSync(join(tmpdir(), 'all-modules-'));
const batch = () => readSafetensors(join(folder, 'batch.safetensors'));
let count = 0;
const bad: string[] = [];

function python(command: string): number | null {
  const env = { ...process.env, HF_HUB_OFFLINE: '1' };
  return spawnSync(PYTHON, [resolve('scripts/oracle/all_modules.py'), command, folder], {
    env,
    stdio: 'inherit',
  }).status;
}

async function logitsBy(model: LoadedModel, { tuner, values }: TunedValues): Promise<Float32Array> {
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const tokens = batchOf(batch());
  const decoder = {
    inputIds: Int32Array.from({ length: 8 }, (_, i) => tokens.inputIds[Math.floor(i / 4) * 7 + (i % 4)]!),
    length: 4,
  };
  const feeds = modelFeeds({ ...tokens, ...(model.headKind === 'SEQ_2_SEQ_LM' && { decoder }) });
  try {
    const found = await program.predict(values, feeds);
    return model.headKind === 'FEATURE_EXTRACTION' ? found : inTheirOrder(model, found, tokens);
  } finally {
    await program.release();
  }
}

function open({ head }: Case, base: string): LoadedModel | undefined {
  try {
    const { definition, config } = familyIn(base);
    return definition.heads[head] ? openIn(base, plainModel(head, config.numLabels)) : undefined;
  } catch (error) {
    // A decoder of a family that is an encoder-decoder here.
    if (String(error).includes('is_encoder_decoder')) return undefined;
    throw error;
  }
}

function difference(found: Float32Array, expected: Float32Array): number {
  let [most, largest] = [0, 0];
  expected.forEach((value, i) => {
    most = Math.max(most, Math.abs(value - found[i]!));
    largest = Math.max(largest, Math.abs(value));
  });
  return most / largest;
}

function ours(kind: string, model: LoadedModel) {
  const { lora, adalora } = METHODS;
  const target_modules = model.linears.map(({ path }) => path);
  const common = { target_modules, lora_alpha: 6 };
  if (kind === 'LORA') return lora.start(model, lora.config.parse({ r: 2, ...common }), 10);
  return adalora.start(model, adalora.config.parse({ init_r: 3, target_r: 2, ...common }), 10);
}

try {
  if (python('write') !== 0) throw new Error('Python failed');
  const cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as Case[];
  for (const [i, one] of cases.entries()) {
    const base = join(folder, `${i}`, 'base');
    const model = open(one, base);
    if (!model) continue;
    for (const kind of ['LORA', 'ADALORA']) {
      const here = join(folder, `${i}`, kind);
      const theirs = join(here, 'theirs');
      count++;
      try {
        const stored = await readAdapter(theirs);
        const tuned = tuneModel(model, knownAdapter(stored, `${theirs}/adapter_config.json`), theirs);
        const expected = logitsOf(readSafetensors(`${theirs}.safetensors`));
        const off = difference(await logitsBy(model, tuned), expected);
        if (!(off < TOLERANCE))
          bad.push(`${one.class} ${kind}: PEFT's adapter differs by ${off.toExponential(1)}`);
        const run = ours(kind, model);
        const values = new Random(i, kind).normals(run.tuner.layout.length, 0.2);
        mkdirSync(join(here, 'ours'));
        writeAdapter(join(here, 'ours'), run.store!(values, base, []));
        const data = await logitsBy(model, { tuner: run.tuner, values });
        const logits: StoredTensor = { dtype: 'F32', shape: [data.length], data };
        writeSafetensors(join(here, 'ours.safetensors'), new Map([['logits', logits]]), {});
      } catch (error) {
        bad.push(`${one.class} ${kind}: ${(error as Error).message}`);
      }
    }
    model.close();
  }
  if (python('check') !== 0) bad.push('PEFT differs: see above');
  console.log(`${count} adapters each way`);
  for (const line of bad) console.log(line);
  if (bad.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
