import { withBaseDtype } from '../src/bases/node/with-base-dtype.ts';
import { loadModel } from '../src/trained/node/load-model.ts';

/* node make-base.js MODEL: makes the int8 copy of an encoder's base in the cache, if it is not there. */

const [, , folder] = process.argv;
(await withBaseDtype(loadModel(folder, 'single_label_classification'), 'int8')).close();
