import type { HostTensor, Tensors } from '../src/engine/runtime/session.ts';
import type { Batch } from '../src/input/text/batches.ts';
import type { HeadKind } from '../src/models/heads/registry.ts';
import { labeledRows } from '../src/program/objectives/labeled-rows.ts';
import { tokenModel } from '../src/program/objectives/token-model.ts';
import { TASKS } from '../src/tasks/registry.ts';
import type { BuildTask } from '../src/tasks/task-definition.ts';

/** Tags of persons, organizations, locations and others, as in CoNLL-2003. */
const TAGS = ['O', ...['PER', 'ORG', 'LOC', 'MISC'].flatMap((kind) => [`B-${kind}`, `I-${kind}`])];

/** A head of a model in the bench, and labels for a batch. */
interface BenchHead {
  build: BuildTask;
  labels(batch: Batch): Tensors;
}

/** The heads that are measured, by PEFT's names of their tasks. */
const HEADS = {
  SEQ_CLS: {
    build: TASKS.single_label_classification.build(['0', '1']),
    labels: ({ batch }) => ({ labels: each(batch, (i) => i % 2) }),
  },
  TOKEN_CLS: {
    build: TASKS.token_classification.build(TAGS),
    labels: ({ inputIds, batch, length }) =>
      labeledRows(
        inputIds.map((id) => id % TAGS.length),
        batch,
        length,
        false,
      ),
  },
  QUESTION_ANS: {
    build: TASKS.question_answering.build([]),
    labels: ({ batch, length }) => ({
      start_positions: each(batch, (i) => i % length),
      end_positions: each(batch, (i) => (i + 3) % length),
    }),
  },
  CAUSAL_LM: {
    build: tokenModel('CAUSAL_LM'),
    labels: ({ inputIds, batch, length }) => labeledRows(inputIds, batch, length, true),
  },
} satisfies Partial<Record<HeadKind, BenchHead>>;

export type BenchHeadKind = keyof typeof HEADS;

export function benchHead(kind: BenchHeadKind = 'SEQ_CLS'): BenchHead {
  return HEADS[kind];
}

function each(count: number, value: (i: number) => number): HostTensor {
  return { data: Int32Array.from({ length: count }, (_, i) => value(i)), dims: [count] };
}
