import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pipeline } from '@huggingface/transformers';
import type { HeadKind } from '../../src/models/heads/registry.ts';
import { ONNX_DTYPES, type OnnxDtype } from '../../src/use/optimum/onnx-dtypes.ts';
import { open } from '../../src/use/trained/node/open.ts';
import type { OpenedModel } from '../../src/use/trained/opened-model.ts';
import { familiesAndHeads, writesText, writeTinyHead } from '../../tests/support/tiny-head.ts';
import { type Example, exportedLogits, logitsDifference, ourLogits } from './compare-logits.ts';

const USAGE = `npx tsx scripts/transformers-js/run.ts [--only FAMILY]

Exports a tiny random model of every family with every head, in every type of weights, and compares it with ours: the
largest difference of a logit beside the largest logit, or the tokens that transformers.js writes before the first that
differs.`;

const DTYPES = Object.keys(ONNX_DTYPES) as OnnxDtype[];
const TEXTS: Example[] = [['the cat sat on the mat'], ['a dog ran']];
const PROMPT = 'the cat sat on the mat';
const SETTINGS = { max_new_tokens: 16, do_sample: false };

const { values } = parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean' } } });
if (values.help) console.log(USAGE);
else {
  console.log(['family', 'head', ...DTYPES].join('\t'));
  for (const [family, head] of familiesAndHeads()) {
    if (values.only !== undefined && values.only !== family) continue;
    console.log([family, head, ...(await compared(family, head))].join('\t'));
  }
}

async function compared(family: string, head: HeadKind): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'transformers-js-'));
  const [base, output] = [join(folder, 'model'), join(folder, 'onnx')];
  try {
    writeTinyHead(base, family, head);
    await using model = await open(base);
    await model.export('onnx', output, { dtypes: DTYPES });
    return writesText(head) ? await written(model, head, output) : await read(base, output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function read(base: string, output: string): Promise<string[]> {
  const ours = await ourLogits(base, TEXTS);
  const shares = DTYPES.map(async (dtype) => {
    const file = `model${ONNX_DTYPES[dtype].suffix}.onnx`;
    const { largest, scale } = logitsDifference(ours, await exportedLogits(output, file, ours.batch));
    return (largest / scale).toExponential(1);
  });
  return Promise.all(shares);
}

async function written(model: OpenedModel, head: HeadKind, output: string): Promise<string[]> {
  const { ids } = await model.generate(PROMPT, SETTINGS);
  const task = head === 'CAUSAL_LM' ? 'text-generation' : 'text2text-generation';
  const counts: string[] = [];
  for (const dtype of DTYPES) {
    // biome-ignore lint/suspicious/noExplicitAny: the library's own types tell a pipeline by its task alone.
    const writer: any = await pipeline(task, output, { dtype });
    const inputs = writer.tokenizer(PROMPT);
    const all = (await writer.model.generate({ ...inputs, ...SETTINGS })).tolist()[0].map(Number);
    const begun = head === 'CAUSAL_LM' ? inputs.input_ids.dims[1] : 1;
    const differs = ids.findIndex((id, i) => id !== all[begun + i]);
    counts.push(`${differs < 0 ? ids.length : differs} of ${ids.length}`);
    await writer.dispose();
  }
  return counts;
}
