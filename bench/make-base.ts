import type { BaseDtype } from '../src/program/bases/base-dtype.ts';
import { withBaseDtype } from '../src/program/bases/with-base-dtype.ts';
import { models, openModel } from '../src/use/trained/node/load-model.ts';
import { type BenchHeadKind, benchHead } from './bench-head.ts';

/*
 * node make-base.js MODEL [int8] [CAUSAL_LM]
 *
 * Makes the quantized copy of a base in the cache, if it is missing.
 */

const [, , folder, dtype = 'int8', head] = process.argv;
(
  await withBaseDtype(
    models.machine,
    await openModel(folder!, benchHead(head as BenchHeadKind | undefined).build),
    dtype as BaseDtype,
  )
).close();
