import type { BaseDtype } from '../src/bases/base-dtype.ts';
import { withBaseDtype } from '../src/bases/node/with-base-dtype.ts';
import { openModel } from '../src/trained/node/load-model.ts';
import { benchHead } from './bench-head.ts';

/*
 * node make-base.js MODEL [int8] [causal]
 *
 * Makes the quantized copy of a base in the cache, if it is missing.
 */

const [, , folder, dtype = 'int8', causal] = process.argv;
(
  await withBaseDtype(await openModel(folder!, benchHead(causal === 'causal').build), dtype as BaseDtype)
).close();
